"""Event time: windows, watermarks, and the aggregation that the windower and the parity tests share.

- `windows`: where a tumbling window starts and ends
- `watermarks`: how far event time has come, per source and over all that are not idle
- `aggregation`: `TumblingCount`: counts per key and window, by Flink's exact rules
- `pending`: which batches may be acknowledged once which windows are out

A *source* is whatever has an order of its own: a Kinesis shard.
"""
