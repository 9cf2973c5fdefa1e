"""What the producer is told by its environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import Port, ServiceSettings


class ProducerSettings(ServiceSettings):
    """`PRODUCER_*`."""

    model_config = SettingsConfigDict(env_prefix="PRODUCER_", frozen=True, env_ignore_empty=True, populate_by_name=True)

    port: Port = Field(default=8081, description="the port of the operations page; 0 = any free one")
    stream: str = Field(
        default="ecommerce-raw-user-activity-stream-1", description="the Kinesis stream that is replayed into"
    )
    raw_bucket: str = Field(
        default="storepulse-raw-local-000000000000",
        description="the S3 bucket of the files to replay, and of the producer's states, labels and large bad events",
    )
    bad_events_queue: str = Field(
        default="storepulse-bad-events-local", description="the name of the SQS queue for rows that are no events"
    )
    state_folder: Path = Field(
        default=Path("~/.local/state/storepulse/producer"),
        description="where the command line keeps the state of its replays",
    )
    request_timeout_s: float = Field(
        default=30.0, gt=0, le=300, description="how long to wait for an answer of AWS before it counts as lost"
    )
    give_up_after_s: float = Field(
        default=300.0, gt=0, description="how long Kinesis may refuse or be away before a replay stops, resumable"
    )
