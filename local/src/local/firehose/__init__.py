"""Amazon Data Firehose's stand-in: stream 1 to S3, as the archive in infra does it.

The emulator's own writes one object per record at once, unzipped. `layout` names objects, `buffer` decides when one is
full, `positions` remembers what is safe, `delivery` reads and writes. Like Firehose it delivers at least once; unlike
it, it does not open KPL-aggregated records (nothing here writes them).
"""
