package storepulse.flink.files;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.core.io.InputStatus;
import storepulse.flink.Columns;
import storepulse.flink.files.RecordedSource.Recording;

/**
 * Reads recordings, one after the other; each shard has an output, and so a watermark, of its own.
 *
 * <p>A recording is a row of frames: 'A', a shard; it is there, and not idle from now on. 'I', a shard: it is idle. 'R', a
 * shard, its record's arrival in milliseconds (8 bytes), length (4 bytes) and bytes. A shard is written by writeUTF.
 */
@SuppressWarnings({"rawtypes", "unchecked"})
final class RecordedReader implements SourceReader {
  private static final long LOOK_AGAIN_MS = 10;

  private final Columns columns;
  private final boolean growing;
  private final List waiting = new ArrayList();
  private final Map outputs = new HashMap();
  private boolean all;
  private String path;
  private long offset;
  private DataInputStream in;

  RecordedReader(Columns columns, boolean growing) {
    this.columns = columns;
    this.growing = growing;
  }

  @Override
  public void start() {}

  @Override
  public void addSplits(List splits) {
    waiting.addAll(splits);
  }

  @Override
  public void notifyNoMoreSplits() {
    all = true;
  }

  @Override
  public InputStatus pollNext(ReaderOutput output) throws Exception {
    if (path == null) {
      if (waiting.isEmpty()) {
        if (all && !growing) {
          return InputStatus.END_OF_INPUT;
        }
        Thread.sleep(LOOK_AGAIN_MS);
        return InputStatus.MORE_AVAILABLE;
      }
      Recording next = (Recording) waiting.remove(0);
      open(next.path, next.offset);
      output.releaseOutputForSplit(path); // Flink made one, and it would wait for a record of its own
    }
    try {
      read(output);
    } catch (EOFException end) {
      in.close();
      if (growing) {
        Thread.sleep(LOOK_AGAIN_MS);
        open(path, offset);
      } else {
        path = null;
      }
    }
    return InputStatus.MORE_AVAILABLE;
  }

  private void open(String file, long from) throws IOException {
    path = file;
    offset = from;
    FileInputStream bytes = new FileInputStream(new File(file));
    bytes.getChannel().position(from);
    in = new DataInputStream(new BufferedInputStream(bytes, 1 << 16));
  }

  private void read(ReaderOutput output) throws IOException {
    int kind = in.readUnsignedByte();
    String shard = in.readUTF();
    long length = 3 + shard.length();
    SourceOutput of = (SourceOutput) outputs.get(shard);
    if (of == null) {
      of = output.createOutputForSplit(shard);
      outputs.put(shard, of);
    }
    if (kind == 'R') {
      long arrival = in.readLong();
      byte[] payload = new byte[in.readInt()];
      in.readFully(payload);
      of.collect(columns.row(payload, shard, Long.toString(offset), arrival));
      length += 12 + payload.length;
    } else if (kind == 'I') {
      of.markIdle();
    } else if (kind == 'A') {
      of.markActive();
    } else {
      throw new IOException("no frame at " + offset + " of " + path);
    }
    offset += length;
  }

  @Override
  public List snapshotState(long checkpoint) {
    List state = new ArrayList(waiting);
    if (path != null) {
      state.add(0, new Recording(path, offset));
    }
    return state;
  }

  @Override
  public CompletableFuture isAvailable() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void close() throws IOException {
    if (in != null) {
      in.close();
    }
  }
}
