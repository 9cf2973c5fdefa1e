package storepulse.flink.kinesis;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;
import software.amazon.awssdk.services.kinesis.model.Record;
import storepulse.flink.Columns;

/** Makes a row of a record of Kinesis. No record fails. */
final class KinesisRecord implements KinesisDeserializationSchema<RowData> {
  private static final long serialVersionUID = 1;

  private final Columns columns;
  private final TypeInformation<RowData> type;

  KinesisRecord(Columns columns, TypeInformation<RowData> type) {
    this.columns = columns;
    this.type = type;
  }

  @Override
  public void deserialize(Record record, String stream, String shardId, Collector<RowData> rows) {
    byte[] payload = record.data().asByteArrayUnsafe();
    long arrival = record.approximateArrivalTimestamp().toEpochMilli();
    rows.collect(columns.row(payload, shardId, record.sequenceNumber(), arrival));
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return type;
  }
}
