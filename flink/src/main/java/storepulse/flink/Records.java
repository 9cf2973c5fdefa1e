package storepulse.flink;

import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsReadingMetadata;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.types.DataType;

/**
 * A table over records: the bytes of each, and the columns of {@link Columns}.
 *
 * <p>It takes the table's watermark into the source, where each shard has an output of its own: so each shard has its own
 * watermark and is idle by itself, and a subtask goes by the least of its shards that are not idle.
 */
@SuppressWarnings({"rawtypes", "unchecked"})
public abstract class Records implements ScanTableSource, SupportsReadingMetadata, SupportsWatermarkPushDown, Cloneable {
  static final ConfigOption MAX_AHEAD =
      ConfigOptions.key("max-ahead").durationType().defaultValue(Duration.ofMinutes(5));
  static final ConfigOption MAX_REPLAY_AHEAD =
      ConfigOptions.key("max-replay-ahead").durationType().defaultValue(Duration.ofDays(366));
  static final ConfigOption STEP =
      ConfigOptions.key("scan.watermark.step").durationType().defaultValue(Duration.ofMillis(1));

  private final String name;
  private final Decoder decoder;
  private final long step;
  private DataType row;
  private List columns = Collections.emptyList();
  private WatermarkStrategy watermarks = WatermarkStrategy.noWatermarks();

  /** Takes what the table is `name`d, its `options` and the type of its own columns. */
  protected Records(String name, ReadableConfig options, DataType row) {
    this.name = name;
    this.row = row;
    this.step = ((Duration) options.get(STEP)).toMillis();
    this.decoder =
        new Decoder(
            ((Duration) options.get(MAX_AHEAD)).toMillis(), ((Duration) options.get(MAX_REPLAY_AHEAD)).toMillis());
  }

  /** Returns the options of every such table. */
  public static Set<ConfigOption<?>> options() {
    HashSet options = new HashSet();
    options.add(MAX_AHEAD);
    options.add(MAX_REPLAY_AHEAD);
    options.add(STEP);
    return options;
  }

  /** Returns a source whose rows are those that `columns` makes. */
  protected abstract Source source(Columns columns, TypeInformation rows);

  @Override
  public ChangelogMode getChangelogMode() {
    return ChangelogMode.insertOnly();
  }

  @Override
  public Map listReadableMetadata() {
    return Columns.known();
  }

  @Override
  public void applyReadableMetadata(List keys, DataType produced) {
    columns = keys;
    row = produced;
  }

  @Override
  public void applyWatermark(WatermarkStrategy strategy) {
    watermarks = new SteppedWatermarks(strategy, step);
  }

  @Override
  public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
    return new Provider(name, source(new Columns(columns, decoder), context.createTypeInformation(row)), watermarks);
  }

  @Override
  public DynamicTableSource copy() {
    try {
      return (DynamicTableSource) clone();
    } catch (CloneNotSupportedException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public String asSummaryString() {
    return name;
  }

  /** Adds the source to a job, under a uid of its own where Flink gives one. */
  private static final class Provider implements DataStreamScanProvider {
    private final String name;
    private final Source source;
    private final WatermarkStrategy watermarks;

    Provider(String name, Source source, WatermarkStrategy watermarks) {
      this.name = name;
      this.source = source;
      this.watermarks = watermarks;
    }

    @Override
    public DataStream produceDataStream(ProviderContext context, StreamExecutionEnvironment environment) {
      SingleOutputStreamOperator stream = environment.fromSource(source, watermarks, name);
      Optional uid = context.generateUid("source");
      return uid.isPresent() ? stream.uid((String) uid.get()) : stream;
    }

    @Override
    public boolean isBounded() {
      return source.getBoundedness() == Boundedness.BOUNDED;
    }
  }
}
