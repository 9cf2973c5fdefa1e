"""What everything is called: one place, so that a service's environment, its role and the resource say the same."""

from dataclasses import dataclass
from typing import Final

STREAM_1: Final = "ecommerce-raw-user-activity-stream-1"
STREAM_2: Final = "ecommerce-raw-user-activity-stream-2"

WINDOWER_LEASES: Final = "windower"
"""The windower's app id, and so its lease table."""
DETECTOR_APPLICATION: Final = "detector"
"""The detector's KCL application, and so its lease table; the KCL's other two tables begin with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names in one deployment, in one account and region."""

    env_name: str
    account: str
    region: str

    @property
    def prefix(self) -> str:
        """What nearly every name begins with or ends in."""
        return f"storepulse-{self.env_name}"

    @property
    def raw_bucket(self) -> str:
        """The bucket of files to replay, the archive and large bad events."""
        return f"storepulse-raw-{self.env_name}-{self.account}"

    @property
    def counts_table(self) -> str:
        """The table of user actions per window."""
        return f"storepulse-user-actions-{self.env_name}"

    @property
    def alerts_table(self) -> str:
        """The table of alerts."""
        return f"storepulse-alerts-{self.env_name}"

    @property
    def alerts_topic(self) -> str:
        """The topic of alerts."""
        return f"storepulse-alerts-{self.env_name}"

    @property
    def bad_events_queue(self) -> str:
        """The dead-letter queue of every service."""
        return f"storepulse-bad-events-{self.env_name}"

    @property
    def operations_topic(self) -> str:
        """The topic of the alarms."""
        return f"storepulse-operations-{self.env_name}"

    def log_group(self, service: str) -> str:
        """Return the log group of a service."""
        return f"/storepulse/{self.env_name}/{service}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of `service` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def stream_arn(self, stream: str) -> str:
        """Return the ARN of a Kinesis stream."""
        return self.arn("kinesis", f"stream/{stream}")

    def table_arn(self, table: str) -> str:
        """Return the ARN of a DynamoDB table."""
        return self.arn("dynamodb", f"table/{table}")

    def bucket_arn(self, prefix: str = "") -> str:
        """Return the ARN of the raw bucket, or of what is under `prefix` in it."""
        return f"arn:aws:s3:::{self.raw_bucket}{f'/{prefix}*' if prefix else ''}"
