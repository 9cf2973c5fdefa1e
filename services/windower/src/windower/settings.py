"""What the windower is told by its environment (prefix ``WINDOWER_``)."""

import re
from datetime import timedelta
from socket import gethostname
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt
from pydantic_settings import SettingsConfigDict

from servicekit.settings import Port, ServiceSettings


def _whole_milliseconds(span: timedelta) -> timedelta:
    if span <= timedelta() or span % timedelta(milliseconds=1):
        msg = "a span of at least one millisecond, in whole milliseconds"
        raise ValueError(msg)
    return span


def _seconds(given: object) -> object:
    """Take a bare number in text as seconds; pydantic takes the ISO-8601 form."""
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


AUTO_WORKER: Final = "auto"
Span = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_whole_milliseconds)]


class WindowerSettings(ServiceSettings):
    """The windower's settings; spans are seconds, or ISO-8601 such as ``PT10S``."""

    model_config = SettingsConfigDict(env_prefix="WINDOWER_", frozen=True, env_ignore_empty=True)

    port: Port = Field(default=8082, description="the operations page's port; 0 = any free one")
    app_id: str = Field(default="windower", min_length=3, description="names the lease table")
    source_stream: str = Field(default="ecommerce-raw-user-activity-stream-1", description="what is counted")
    sink_stream: str = Field(default="ecommerce-raw-user-activity-stream-2", description="where the counts go")
    bad_events_queue: str = Field(description="name of the SQS queue for records that cannot be counted")
    bad_events_bucket: str = Field(description="the S3 bucket for bytes of theirs that no message can hold")
    window: Span = Field(default=timedelta(seconds=10), description="how long a window is")
    watermark_delay: Span = Field(default=timedelta(seconds=10), description="how late a record may come")
    limit: PositiveInt = Field(default=10, description="a user's next action in one window is reported at once")
    max_ahead: Span = Field(
        default=timedelta(minutes=5),
        description="a record's event time further than this after its arrival in Kinesis makes it a bad event",
    )
    max_replay_ahead: Span = Field(
        default=timedelta(days=366),
        description="the most that a replay which stamps ahead, and says so, may be ahead of its arrival",
    )
    max_drift: Span = Field(
        default=timedelta(minutes=2),
        description="event time by which one shard may run ahead of the slowest that has records to read",
    )
    idle_after: Span = Field(
        default=timedelta(seconds=60),
        description="a shard with nothing new for longer holds the watermark back no more",
    )
    exclusive: bool = Field(
        default=True,
        description="one worker reads all shards, others stand by; needed unless the partition key is user_id",
    )
    worker_id: str = Field(
        default=AUTO_WORKER,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="who takes its leases back at once after a crash; auto = from the host name and the port",
    )
    lease: Span = Field(default=timedelta(seconds=10), description="a worker silent for longer loses its shards")
    metrics_interval: Span = Field(
        default=timedelta(seconds=60), description="how often CloudWatch is told how current the counts are"
    )
    commit_interval: Span = Field(default=timedelta(seconds=1), description="how often progress is stored")
    start: str = Field(default="TRIM_HORIZON", description="TRIM_HORIZON, LATEST or an instant, on the first start")

    @property
    def worker(self) -> str | None:
        """The name under which leases are held, None for one of each process's own.

        `auto` is the host and the port: a restarted container keeps both, and no two processes can have them at a time.
        """
        if self.worker_id != AUTO_WORKER:
            return self.worker_id
        return re.sub(r"[^A-Za-z0-9._-]", "-", f"{gethostname()}-{self.port}") if self.port else None
