package storepulse.flink;

import static org.apache.flink.connector.kinesis.table.KinesisConnectorOptions.AWS_REGION;
import static org.apache.flink.connector.kinesis.table.KinesisConnectorOptions.STREAM_ARN;

import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.connector.kinesis.table.util.KinesisStreamsConnectorSourceOptionsUtils;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * The connector {@code kinesis-records}: a stream's records as bytes, each with its place and arrival.
 *
 * <p>It reads as the connector {@code kinesis} does and has the same options but no format. That one's table source
 * declares the columns of place and arrival and does not fill them, so that the first record ends the job
 * (FLINK-36671, open in 6.0.1). When it fills them, this package can go: the columns have the same names there.
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
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        var helper = FactoryUtil.createTableFactoryHelper(this, context);
        var stream = helper.getOptions().get(STREAM_ARN);
        var options = new KinesisStreamsConnectorSourceOptionsUtils(context.getCatalogTable().getOptions(), stream);
        helper.validateExcept(options.getNonValidatedPrefixes().toArray(String[]::new));
        if (!context.getPhysicalRowDataType().getChildren().equals(List.of(DataTypes.BYTES()))) {
            throw new ValidationException("A table of kinesis-records has one column of its own, of type BYTES.");
        }
        return new KinesisRecords(
                stream, options.getValidatedSourceConfigurations(), context.getPhysicalRowDataType(), List.of());
    }
}
