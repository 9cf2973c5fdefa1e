package storepulse.flink.kinesis;

import static org.apache.flink.connector.kinesis.table.KinesisConnectorOptions.AWS_REGION;
import static org.apache.flink.connector.kinesis.table.KinesisConnectorOptions.STREAM_ARN;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.connector.kinesis.table.util.KinesisStreamsConnectorSourceOptionsUtils;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import storepulse.flink.Records;

/**
 * The connector {@code kinesis-records}: a stream's records as bytes, each with its place and what it says.
 *
 * <p>It reads as the connector {@code kinesis} does and has the same options but no format. That one's table source has one
 * watermark for all shards of a subtask, and does not fill the columns of place and arrival that it declares, so that the
 * first record ends the job (FLINK-36671, open in 6.0.1).
 */
public final class KinesisRecordsFactory implements DynamicTableSourceFactory {
  @Override
  public String factoryIdentifier() {
    return "kinesis-records";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(STREAM_ARN, AWS_REGION);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Records.options();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    var helper = FactoryUtil.createTableFactoryHelper(this, context);
    var stream = helper.getOptions().get(STREAM_ARN);
    var ours = new LinkedHashMap<>(context.getCatalogTable().getOptions());
    optionalOptions().forEach(option -> ours.remove(option.key()));
    ours.keySet().removeIf(key -> key.startsWith("scan."));
    var reading = new KinesisStreamsConnectorSourceOptionsUtils(ours, stream);
    var prefixes = new ArrayList<>(reading.getNonValidatedPrefixes());
    helper.validateExcept(prefixes.toArray(String[]::new));
    return new KinesisRecords(
        stream, reading.getValidatedSourceConfigurations(), helper.getOptions(), context.getPhysicalRowDataType());
  }
}
