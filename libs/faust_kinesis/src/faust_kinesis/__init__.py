"""A `kinesis://` transport for Faust: streams are topics, shards are partitions, a message carries a batch.

The map: `transport` is what Faust loads; it has the `options` of the broker URL. `consumer` is Faust's side of
reading (what an application may ask is in `outlook`), `readers` and `shards` poll, `records` and `aggregation` cut
batches. `keeper` holds leases: it looks at the `table`, `discovery` finds shards, `balance` decides. `commit` says
which offset is safe. `producer` sends what `outgoing` has cut into calls. `client`, `errors`, `backoff` and `pacing`
are how all of them talk to AWS, `kinesis_wire` (a library of its own) how records go over the wire.
"""

from faust_kinesis.errors import (
    FaustKinesisError,
    LeaseLostError,
    OptionError,
    RecordRefusedError,
    SendError,
    StoppedError,
)
from faust_kinesis.records import RecordBatch
from kinesis_wire.records import Record

__all__ = [
    "FaustKinesisError",
    "LeaseLostError",
    "OptionError",
    "Record",
    "RecordBatch",
    "RecordRefusedError",
    "SendError",
    "StoppedError",
]
