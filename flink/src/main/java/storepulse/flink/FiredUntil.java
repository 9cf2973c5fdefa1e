package storepulse.flink;

import java.util.Collections;
import java.util.Iterator;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.utils.JoinedRowData;

/**
 * Adds to each row, as its last column, the highest watermark before it; NULL when there was none.
 *
 * <p>CURRENT_WATERMARK begins anew when a job starts from a snapshot, and windows do not: they would drop late records that
 * nobody called late. This one is in the snapshot. All subtasks start with the highest of them, which no window can be ahead of.
 */
@SuppressWarnings({"rawtypes", "unchecked"})
public final class FiredUntil extends AbstractStreamOperator implements OneInputStreamOperator {
  private static final long serialVersionUID = 1;

  private transient ListState stored;
  private transient GenericRowData added;
  private transient JoinedRowData row;
  private transient StreamRecord joined;
  private long watermark = Long.MIN_VALUE; // milliseconds since the epoch

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    ListStateDescriptor name = new ListStateDescriptor("watermark", LongSerializer.INSTANCE);
    stored = context.getOperatorStateStore().getUnionListState(name);
    Iterator each = ((Iterable) stored.get()).iterator();
    while (each.hasNext()) {
      watermark = Math.max(watermark, ((Long) each.next()).longValue());
    }
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    stored.update(Collections.singletonList(Long.valueOf(watermark)));
  }

  @Override
  public void open() throws Exception {
    super.open();
    added = new GenericRowData(1);
    row = new JoinedRowData();
    joined = new StreamRecord(null);
    tell();
  }

  private void tell() {
    added.setField(0, watermark == Long.MIN_VALUE ? null : TimestampData.fromEpochMillis(watermark));
  }

  @Override
  public void processElement(StreamRecord element) throws Exception {
    RowData given = (RowData) element.getValue();
    row.replace(given, added);
    row.setRowKind(given.getRowKind());
    output.collect(joined.replace(row, element.getTimestamp()));
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    if (mark.getTimestamp() > watermark) {
      watermark = mark.getTimestamp();
      tell();
    }
    super.processWatermark(mark);
  }
}
