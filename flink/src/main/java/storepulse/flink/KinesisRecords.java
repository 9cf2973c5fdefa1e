package storepulse.flink;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.abilities.SupportsReadingMetadata;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;

/** A table over a stream: the bytes of each record, then the columns of its place that were asked for. */
final class KinesisRecords implements ScanTableSource, SupportsReadingMetadata {
    private final String stream;
    private final Configuration options;
    private DataType row;
    private List<Place> places;

    KinesisRecords(String stream, Configuration options, DataType row, List<Place> places) {
        this.stream = stream;
        this.options = options;
        this.row = row;
        this.places = places;
    }

    @Override
    public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
    }

    @Override
    public Map<String, DataType> listReadableMetadata() {
        var types = new LinkedHashMap<String, DataType>();
        Arrays.stream(Place.values()).forEach(place -> types.put(place.key, place.type));
        return types;
    }

    @Override
    public void applyReadableMetadata(List<String> keys, DataType produced) {
        places = keys.stream().map(Place::of).toList();
        row = produced;
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
        return SourceProvider.of(
                KinesisStreamsSource.<RowData>builder()
                        .setStreamArn(stream)
                        .setSourceConfig(options)
                        .setDeserializationSchema(
                                new PlacedRecord(places.toArray(Place[]::new), context.createTypeInformation(row)))
                        .build());
    }

    @Override
    public DynamicTableSource copy() {
        return new KinesisRecords(stream, options, row, places);
    }

    @Override
    public String asSummaryString() {
        return "records of " + stream;
    }
}
