"""Window counts into stream 2, keyed by user: one shard sees all of a user's counts, in order of their windows."""

from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter

from storepulse.activity.counts import WindowCount, encode_count

_user_of = attrgetter("user_id")
PutBatch = Callable[[str, Sequence[str], Sequence[bytes]], Awaitable[None]]
"""Puts records, given as their partition keys and their data, into the stream of that name, and returns when Kinesis
has all of them."""


class KinesisCounts:
    """`windower.ports.CountSink` over the transport's PutRecords."""

    def __init__(self, put_batch: PutBatch, stream: str) -> None:
        """Write to `stream`."""
        self._put_batch = put_batch
        self._stream = stream

    async def put(self, counts: Sequence[WindowCount]) -> None:
        """See `windower.ports.CountSink`; retries are the transport's."""
        if counts:
            await self._put_batch(self._stream, list(map(_user_of, counts)), list(map(encode_count, counts)))
