package storepulse.flink;

import java.util.Arrays;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;

/** What a column can say of where a record was, and since when. */
enum Place {
    SHARD_ID("shard-id", DataTypes.STRING().notNull()),
    SEQUENCE_NUMBER("sequence-number", DataTypes.STRING().notNull()),
    TIMESTAMP("timestamp", DataTypes.TIMESTAMP_LTZ(3).notNull());

    final String key;
    final DataType type;

    Place(String key, DataType type) {
        this.key = key;
        this.type = type;
    }

    static Place of(String key) {
        return Arrays.stream(values()).filter(place -> place.key.equals(key)).findFirst().orElseThrow();
    }
}
