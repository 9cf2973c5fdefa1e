"""What the detector is told by its environment (DETECTOR_...); its children get the same, as a file."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from socket import gethostname
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from servicekit.settings import ServiceSettings

AUTO_WORKER: Final = "auto"
UserIds = Annotated[frozenset[str], NoDecode]


class DetectorSettings(ServiceSettings):
    """The defaults are the emulated account's; README.md explains each."""

    model_config = SettingsConfigDict(env_prefix="DETECTOR_")

    port: int = Field(default=8083, ge=0, le=65535, description="port of the operations page; 0 = any free one")

    stream: str = Field(default="ecommerce-raw-user-activity-stream-2", description="the stream of window counts")
    application: str = Field(default="detector", description="KCL application = name of its lease table")
    worker_id: str = Field(
        default="detector-1", description="this instance's KCL worker; 'auto' = from the host name and the port"
    )
    initial_position: Literal["TRIM_HORIZON", "LATEST"] = Field(
        default="TRIM_HORIZON", description="where to read from when there is no kcl_checkpoint"
    )
    poll_millis: int = Field(default=200, ge=200, le=10_000, description="between two reads of a shard")
    max_records: int = Field(default=2000, ge=1, le=10_000, description="records of one read, thus of one batch")
    failover_millis: int = Field(default=5000, ge=1000, le=300_000, description="after which a lease may be taken")
    checkpoint_seconds: float = Field(default=1.0, ge=0, le=300, description="between two kcl_checkpoints of a shard")
    shutdown_grace_seconds: float = Field(default=40.0, ge=1, le=600, description="for the daemon to end in")
    java_heap_mb: int = Field(default=256, ge=64, description="the daemon's heap")
    run_dir: Path | None = Field(default=None, description="where run files go; a private temporary folder if unset")

    counts_table: str = Field(default="storepulse-user-actions-local", description="DynamoDB table of the counts")
    alerts_table: str = Field(default="storepulse-alerts-local", description="DynamoDB table of the alerts")
    alerts_topic_arn: str = Field(
        default="arn:aws:sns:us-east-1:000000000000:storepulse-alerts-local", description="SNS topic of the alerts"
    )
    bad_events_queue: str = Field(default="storepulse-bad-events-local", description="SQS queue of the bad events")
    bad_events_bucket: str = Field(
        default="storepulse-raw-local-000000000000", description="S3 bucket for payloads too large for the queue"
    )

    app_server: str = Field(default="1", min_length=1, max_length=64, description="server in the counts' key")
    store_from: int = Field(default=1, ge=1, description="actions from which on a count is stored; alerts come anyway")
    limit: int = Field(default=10, ge=1, description="more actions of a user in one window raise an alert")
    cooldown_seconds: float = Field(default=300.0, ge=0, description="event time in which a user alerts once")
    allowed_users: UserIds = Field(default=frozenset(), description="user ids that never alert, with commas between")
    allowed_users_file: Path | None = Field(default=None, description="the same, one a line")
    counts_ttl_days: int = Field(default=30, ge=1, description="after which DynamoDB deletes a count")
    alerts_ttl_days: int = Field(default=365, ge=1, description="after which DynamoDB deletes an alert")
    threads: int = Field(default=8, ge=1, le=64, description="AWS calls at once, per shard")

    @model_validator(mode="before")
    @classmethod
    def _split_users(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(values.get("allowed_users"), str):
            users = (user.strip() for user in values["allowed_users"].split(","))
            values["allowed_users"] = frozenset(user for user in users if user)
        return values

    @field_validator("allowed_users_file", mode="after")
    @classmethod
    def _can_be_read(cls, path: Path | None) -> Path | None:
        if path is not None:
            _users_in(path)  # raises at the start, not at the first alert
        return path

    @property
    def endpoint(self) -> str | None:
        """The emulated AWS's address for the SDKs, None in AWS."""
        return str(self.endpoint_url).rstrip("/") if self.endpoint_url else None

    @property
    def worker(self) -> str:
        """The KCL's worker id of this instance."""
        return f"detector-{gethostname()}-{self.port}" if self.worker_id == AUTO_WORKER else self.worker_id

    @property
    def cooldown(self) -> timedelta:
        """The event time in which a user alerts once."""
        return timedelta(seconds=self.cooldown_seconds)

    def allowed(self) -> frozenset[str]:
        """Return the user ids that never alert, of the list and of the file.

        Raises:
            ValueError: the file cannot be read.
        """
        return self.allowed_users | (_users_in(self.allowed_users_file) if self.allowed_users_file else frozenset())


def _users_in(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise ValueError(msg) from error
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def java_environment() -> Mapping[str, str]:
    """Return what tells where Java is: JAVA_HOME and PATH."""
    return {name: os.environ[name] for name in ("JAVA_HOME", "PATH") if os.environ.get(name)}
