package storepulse.flink.files;

import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import storepulse.flink.Columns;
import storepulse.flink.Records;

/** The connector {@code recorded}: the records of recordings in a folder, as {@code kinesis-records} has those of a stream. */
@SuppressWarnings({"rawtypes", "unchecked"})
public final class RecordedFactory implements DynamicTableSourceFactory {
  private static final ConfigOption PATH = ConfigOptions.key("path").stringType().noDefaultValue();
  private static final ConfigOption GROWING = ConfigOptions.key("growing").booleanType().defaultValue(Boolean.FALSE);

  @Override
  public String factoryIdentifier() {
    return "recorded";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return new HashSet(Collections.singleton(PATH));
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    Set options = Records.options();
    options.add(GROWING);
    return options;
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    return new Recorded(helper.getOptions(), context.getPhysicalRowDataType());
  }

  private static final class Recorded extends Records {
    private final String path;
    private final boolean growing;

    Recorded(ReadableConfig options, DataType row) {
      super("recorded records", options, row);
      this.path = (String) options.get(PATH);
      this.growing = ((Boolean) options.get(GROWING)).booleanValue();
    }

    @Override
    protected Source source(Columns columns, TypeInformation rows) {
      return new RecordedSource(path, growing, columns, rows);
    }
  }
}
