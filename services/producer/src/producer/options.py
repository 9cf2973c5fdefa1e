"""What one replay is told, the same from the command line and over HTTP."""

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from storepulse.instants import from_datetime, to_milliseconds
from storepulse.replay.pacing import AtOnce, EventTimes, FixedInterval, Pace

MAX_SOURCES: Final = 100
Span = Annotated[timedelta, Field(gt=timedelta(), le=timedelta(days=1))]
Text = Annotated[str, Field(min_length=1, max_length=2048)]

#: Options that change what is sent; a replay can only be resumed with the same ones.
_BINDING: Final = {"sources", "key", "clock", "anchor", "base", "window", "delay", "inject"}


class ReplayOptions(BaseModel):
    """How to replay which files."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sources: Annotated[list[Text], Field(min_length=1, max_length=MAX_SOURCES)] = Field(
        description="`s3://bucket/key`, or `s3://bucket/prefix/` for all objects under it in key order"
    )
    key: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        default="category_id", description="the column that gives the partition key; where it is empty, the event's id"
    )
    pace: Span | None = Field(
        default=None, description="one put every so long, whatever the file's gaps (the original: 250 ms)"
    )
    rate: Annotated[float, Field(gt=0, le=1_000_000)] | None = Field(default=None, description="rows a second")
    speed: Annotated[float, Field(gt=0, le=1_000_000)] | Literal["max"] | None = Field(
        default=None, description="the file's own gaps, so many times as fast; `max`: as fast as it goes; default 1"
    )
    clock: Literal["wall", "event"] = Field(
        default="wall",
        description="`txn_timestamp`: the time of sending, or the file's times, shifted by whole windows",
    )
    anchor: Literal["start", "end"] = Field(
        default="start", description="clock `event`: whether the replay's event time starts at `base` or ends there"
    )
    base: AwareDatetime | None = Field(
        default=None,
        description="clock `event`: an instant, taken as it is; default now, or after all that is stamped",
    )
    last: AwareDatetime | None = Field(
        default=None, description="the last event_time, for anchor `end`; else the files are read once beforehand"
    )
    window: Span = Field(default=timedelta(seconds=10), description="the size of the windows that will be counted")
    delay: Span = Field(default=timedelta(seconds=10), description="the delay of the watermark that they go by")
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=10, description="for labels: most actions without alert"
    )
    inject: Text | None = Field(default=None, description="a file that describes planted bots")
    labels: Text | None = Field(default=None, description="where to write what is true of them")
    allow_late: bool = Field(
        default=False, description="play although rows will be late, or make those of another replay late"
    )
    drain: bool = Field(default=True, description="go on with heartbeats until the last windows can close")
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8, description="requests in flight, all shards together"
    )

    @model_validator(mode="after")
    def _one_pace(self) -> Self:
        if sum(given is not None for given in (self.pace, self.rate, self.speed)) > 1:
            msg = "give one of pace, rate and speed"
            raise ValueError(msg)
        if self.clock == "wall" and (self.base is not None or self.anchor == "end"):
            msg = "anchor and base belong to the event clock: add clock=event"
            raise ValueError(msg)
        return self

    @property
    def one_by_one(self) -> bool:
        """Whether every row is a request of its own, and is reported."""
        return self.pace is not None

    @property
    def window_ms(self) -> int:
        """The window's size in milliseconds."""
        return to_milliseconds(self.window)

    @property
    def delay_ms(self) -> int:
        """The watermark's delay in milliseconds."""
        return to_milliseconds(self.delay)

    @property
    def run_out_ms(self) -> int:
        """How far event time must go on after the last row for its window to fire, in milliseconds."""
        return self.window_ms + self.delay_ms + 1000

    def pacing(self) -> Pace:
        """Return when rows are due."""
        if self.pace is not None:
            return FixedInterval(self.pace / timedelta(milliseconds=1))
        if self.rate is not None:
            return FixedInterval(1000 / self.rate)
        if self.speed == "max":
            return AtOnce()
        return EventTimes(1.0 if self.speed is None else self.speed)

    def fingerprint(self, *more: str) -> str:
        """Return the same text for the same options as far as they decide what is sent, and `more`."""
        text = self.model_dump_json(include=_BINDING) + "\0".join(more)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def milliseconds(moment: datetime | None) -> int | None:
    """Return an instant in milliseconds since the epoch."""
    return None if moment is None else from_datetime(moment)
