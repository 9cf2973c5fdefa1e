package storepulse.flink;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.DataType;

/** Makes a row of a record: its bytes, then the columns that were asked for, of where it was and what it says. */
@SuppressWarnings({"rawtypes", "unchecked"})
public final class Columns implements Serializable {
  private static final long serialVersionUID = 1;

  private final String[] keys;
  private final Decoder decoder;

  public Columns(List keys, Decoder decoder) {
    this.keys = (String[]) keys.toArray(new String[0]);
    this.decoder = decoder;
  }

  /** Returns every column that can be asked for, by its key. */
  public static Map<String, DataType> known() {
    LinkedHashMap types = new LinkedHashMap();
    types.put("shard-id", DataTypes.STRING().notNull());
    types.put("sequence-number", DataTypes.STRING().notNull());
    types.put("user-id", DataTypes.STRING()); // none for a heartbeat and for what is no event
    types.put("event-time", DataTypes.TIMESTAMP(3).notNull()); // before all times for what is no event
    types.put("failure", DataTypes.STRING()); // why it is no event, in a word
    types.put("reason", DataTypes.STRING()); // and in a sentence
    return types;
  }

  /** Returns the row of `payload`, which came to its shard at `arrival`, in milliseconds since the epoch. */
  public RowData row(byte[] payload, String shard, String sequenceNumber, long arrival) {
    Decoded decoded = decoder.decode(payload, arrival);
    GenericRowData row = new GenericRowData(1 + keys.length);
    row.setField(0, payload);
    for (int i = 0; i < keys.length; i++) {
      row.setField(1 + i, value(keys[i], decoded, shard, sequenceNumber));
    }
    return row;
  }

  private static Object value(String key, Decoded decoded, String shard, String sequenceNumber) {
    if (key.equals("event-time")) {
      return TimestampData.fromEpochMillis(decoded.time);
    } else if (key.equals("user-id")) {
      return StringData.fromString(decoded.user);
    } else if (key.equals("shard-id")) {
      return StringData.fromString(shard);
    } else if (key.equals("sequence-number")) {
      return StringData.fromString(sequenceNumber);
    } else {
      return StringData.fromString(key.equals("failure") ? decoded.failure : decoded.reason);
    }
  }
}
