"""What Faust asks a consumer about offsets and topics, where Kinesis leaves little to say."""

from collections.abc import Mapping
from typing import Any

from faust.types import TP

from faust_kinesis.readers import ShardReaders

NO_SEEK = "Kinesis positions come from checkpoints only"


class Positions:
    """Faust's position interface; positions come from checkpoints only."""

    readers: ShardReaders

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def _seek(self, partition: TP, offset: int) -> None:
        raise NotImplementedError(NO_SEEK)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Refuse: positions come from checkpoints only."""
        raise NotImplementedError(NO_SEEK)

    async def position(self, tp: TP) -> int | None:
        """Return the next offset to be read."""
        return self.readers.by_tp[tp].position

    def highwater(self, tp: TP) -> int:
        """Return the offset after the last batch read so far."""
        reader = self.readers.by_tp.get(tp)
        return reader.position if reader else 0

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return `highwater` of each of `partitions`."""
        return {tp: self.highwater(tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return the first offset of each of `partitions` in this generation."""
        return {tp: self.readers.by_tp[tp].first for tp in partitions}

    def topic_partitions(self, topic: str) -> int | None:  # noqa: ARG002 - Faust's signature
        """Return None: a stream's shards come and go."""
        return None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:  # noqa: ARG002 - Faust's signature
        """Return None: Kinesis picks the shard."""
        return None

    async def create_topic(self, topic: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Do nothing: streams belong to the infrastructure."""
