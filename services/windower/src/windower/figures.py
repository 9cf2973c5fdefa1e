"""What the windower says of itself, to Prometheus and to CloudWatch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How current the counts of one worker are.

    Attributes:
        watermark_age: seconds for which the watermark has stood still while records came.
        oldest_unacknowledged: seconds since the oldest batch was taken that is in a window still open.
        millis_behind: by shard id: the age of the oldest record that is there to be counted.
        paused_shards: how many are not read on, as they are ahead of others.
    """

    watermark_age: float = 0.0
    oldest_unacknowledged: float = 0.0
    millis_behind: Mapping[str, float] = field(default_factory=dict)
    paused_shards: int = 0
