"""What differs from one deployment to another."""

from dataclasses import dataclass
from typing import Final

from infra.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One deployment.

    Attributes:
        env_name: part of every name that is unique in an account: `dev`, `prod`, `local`.
        account: twelve digits.
        region: the AWS region.
        alert_email: who gets the alerts by e-mail; nobody when None.
        operations_email: who gets the alarms by e-mail; nobody when None.
        nat_gateways: 1, or 2 so that no task depends on another zone (docs/adr/0014).
        windower_tasks: 1, or 0 while the Flink job counts in its place.
        detector_tasks: how many share stream 2; each more can be lost without a stop.
        detector_shards: how many shards of stream 2 the detectors are large enough for, with one task gone if there are
            several.
        flink: whether the Flink stack is part of it, whose code must be in the raw bucket before (docs/flink.md).
        emulated: for the emulator: the data stack alone, two shards, as its on-demand streams have one, and no
            Firehose, which a stand-in replaces.
    """

    env_name: str
    account: str
    region: str
    alert_email: str | None = None
    operations_email: str | None = None
    nat_gateways: int = 1
    windower_tasks: int = 1
    detector_tasks: int = 1
    detector_shards: int = 16
    flink: bool = False
    emulated: bool = False

    @property
    def names(self) -> Names:
        """What everything is called."""
        return Names(env_name=self.env_name, account=self.account, region=self.region)


LOCAL: Final = Config(env_name="local", account="000000000000", region="us-east-1", emulated=True)
