package storepulse.flink.files;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import storepulse.flink.Columns;

/** Reads the recordings of a folder, each with all of its shards in one subtask and in the order in which they were read. */
@SuppressWarnings({"rawtypes", "unchecked"})
final class RecordedSource implements Source, ResultTypeQueryable {
  private static final long serialVersionUID = 1;

  private final String folder;
  private final boolean growing;
  private final Columns columns;
  private final TypeInformation rows;

  RecordedSource(String folder, boolean growing, Columns columns, TypeInformation rows) {
    this.folder = folder;
    this.growing = growing;
    this.columns = columns;
    this.rows = rows;
  }

  @Override
  public Boundedness getBoundedness() {
    return growing ? Boundedness.CONTINUOUS_UNBOUNDED : Boundedness.BOUNDED;
  }

  @Override
  public TypeInformation getProducedType() {
    return rows;
  }

  @Override
  public SourceReader createReader(SourceReaderContext context) {
    return new RecordedReader(columns, growing);
  }

  @Override
  public SplitEnumerator createEnumerator(SplitEnumeratorContext context) throws IOException {
    File[] files = new File(URI.create(folder)).listFiles();
    if (files == null) {
      throw new IOException("no folder: " + folder);
    }
    Arrays.sort(files);
    List found = new ArrayList();
    for (int i = 0; i < files.length; i++) {
      found.add(new Recording(files[i].getPath(), 0));
    }
    return new Dealer(context, found);
  }

  @Override
  public SplitEnumerator restoreEnumerator(SplitEnumeratorContext context, Object nothing) {
    return new Dealer(context, new ArrayList()); // readers bring their own
  }

  @Override
  public SimpleVersionedSerializer getSplitSerializer() {
    return new Serializer();
  }

  @Override
  public SimpleVersionedSerializer getEnumeratorCheckpointSerializer() {
    return new Serializer();
  }

  /** A file, and how far it was read. */
  static final class Recording implements SourceSplit {
    final String path;
    final long offset;

    Recording(String path, long offset) {
      this.path = path;
      this.offset = offset;
    }

    @Override
    public String splitId() {
      return path;
    }
  }

  /** Writes recordings, and the state of the dealer, which is none. */
  private static final class Serializer implements SimpleVersionedSerializer {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(Object recording) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      if (recording instanceof Recording) {
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(((Recording) recording).path);
        out.writeLong(((Recording) recording).offset);
      }
      return bytes.toByteArray();
    }

    @Override
    public Object deserialize(int version, byte[] bytes) throws IOException {
      if (bytes.length == 0) {
        return "";
      }
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
      return new Recording(in.readUTF(), in.readLong());
    }
  }

  /** Deals recordings to readers in turn. */
  private static final class Dealer implements SplitEnumerator {
    private final SplitEnumeratorContext context;
    private final List left;

    Dealer(SplitEnumeratorContext context, List left) {
      this.context = context;
      this.left = left;
    }

    @Override
    public void start() {}

    @Override
    public void addReader(int reader) {
      for (int i = left.size() - 1; i >= 0; i--) {
        if (i % context.currentParallelism() == reader) {
          context.assignSplit((Recording) left.get(i), reader);
        }
      }
      context.signalNoMoreSplits(reader);
    }

    @Override
    public void handleSplitRequest(int reader, String host) {}

    @Override
    public void addSplitsBack(List splits, int reader) {}

    @Override
    public Object snapshotState(long checkpoint) {
      return "";
    }

    @Override
    public void close() {}
  }
}
