package storepulse.flink;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.util.Collector;
import software.amazon.awssdk.services.kinesis.model.Record;

/** Makes a row of a record: its bytes as they are, then {@code places}. No record fails. */
final class PlacedRecord implements KinesisDeserializationSchema<RowData> {
    private static final long serialVersionUID = 1;

    private final Place[] places;
    private final TypeInformation<RowData> type;

    PlacedRecord(Place[] places, TypeInformation<RowData> type) {
        this.places = places;
        this.type = type;
    }

    @Override
    public void deserialize(Record record, String stream, String shardId, Collector<RowData> rows) {
        var row = new GenericRowData(1 + places.length);
        row.setField(0, record.data().asByteArrayUnsafe());
        for (int i = 0; i < places.length; i++) {
            row.setField(1 + i, value(places[i], record, shardId));
        }
        rows.collect(row);
    }

    private static Object value(Place place, Record record, String shardId) {
        return switch (place) {
            case SHARD_ID -> StringData.fromString(shardId);
            case SEQUENCE_NUMBER -> StringData.fromString(record.sequenceNumber());
            case TIMESTAMP -> TimestampData.fromInstant(record.approximateArrivalTimestamp());
        };
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return type;
    }
}
