"""What differs from one deployment to another."""

from dataclasses import dataclass
from typing import Final

STREAM_1: Final = "ecommerce-raw-user-activity-stream-1"
STREAM_2: Final = "ecommerce-raw-user-activity-stream-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One deployment.

    Attributes:
        env_name: part of every name that is unique in an account: `dev`, `prod`, `local`.
        account: twelve digits.
        region: the AWS region.
        alert_email: who gets the alerts by e-mail; nobody when None.
        emulated: for the emulator: two shards, as its on-demand streams have one, and no Firehose, which a stand-in
            replaces.
    """

    env_name: str
    account: str
    region: str
    alert_email: str | None = None
    emulated: bool = False


LOCAL: Final = Config(env_name="local", account="000000000000", region="us-east-1", emulated=True)
