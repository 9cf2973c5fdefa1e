package storepulse.flink.kinesis;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import storepulse.flink.Columns;
import storepulse.flink.Records;

/** A table over a stream of Kinesis. */
final class KinesisRecords extends Records {
  private final String stream;
  private final Configuration reading;

  KinesisRecords(String stream, Configuration reading, ReadableConfig options, DataType row) {
    super("records of " + stream, options, row);
    this.stream = stream;
    this.reading = reading;
  }

  @Override
  protected Source<RowData, ?, ?> source(Columns columns, TypeInformation rows) {
    @SuppressWarnings("unchecked")
    TypeInformation<RowData> type = rows;
    return KinesisStreamsSource.<RowData>builder()
        .setStreamArn(stream)
        .setSourceConfig(reading)
        .setDeserializationSchema(new KinesisRecord(columns, type))
        .build();
  }
}
