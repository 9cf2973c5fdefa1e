"""Two detectors on the four shards of one stream, and one of them killed."""

from pathlib import Path

import psutil
import pytest

from detector.adapters.dynamo_counts import partition_key
from storepulse.activity.counts import WindowCount
from tests.emulator import Emulator, free_port, wait_until
from tests.integration.detector.account import Account
from tests.integration.detector.running import RunningDetector
from tests.unit.detector.builders import count

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(400)]
SHARED_WITHIN_S = 120.0
LIMIT = 10


class OneOfSeveral(RunningDetector):
    """A detector among others of its application, named after its host and port."""

    def __init__(self, account: Account, folder: Path) -> None:
        folder.mkdir()
        self.port = str(free_port())
        super().__init__(account, folder, DETECTOR_PORT=self.port, DETECTOR_WORKER_ID="auto")

    def _belongs(self, process: psutil.Process) -> bool:
        return super()._belongs(process) and process.environ().get("DETECTOR_PORT") == self.port

    def shards(self) -> set[str]:
        """Return the shards that it has been given since its start."""
        return {event["shard_id"] for event in self.events("shard_initialized")}


def counted(account: Account, counts: list[WindowCount]) -> bool:
    wanted = {(partition_key(each.user_id, "1"), each.window_end): (each.num_actions, each.kind) for each in counts}
    return wanted.items() <= account.counted().items()


def published(account: Account, counts: list[WindowCount]) -> bool:
    fast = [each for each in counts if each.num_actions > LIMIT]
    alerts = account.alerts()
    return all(alerts.get((each.user_id, each.window_start), {}).get("status") == "published" for each in fast)


def test_two_detectors_share_the_shards_and_one_that_is_killed_loses_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    account = Account(emulator, shards=4)
    before = [count(f"before{n}", 9 + n % 3) for n in range(200)]
    after = [count(f"after{n}", 9 + n % 3) for n in range(200)]
    first, second = OneOfSeveral(account, tmp_path / "first"), OneOfSeveral(account, tmp_path / "second")
    with first:
        wait_until(lambda: len(first.children()) == 4, SHARED_WITHIN_S, "one detector with four shards", 0.5)
        with second:
            wait_until(lambda: second.children() and len(first.children()) < 4, SHARED_WITHIN_S, "shards shared", 0.5)
            account.put(*before)
            wait_until(lambda: counted(account, before), SHARED_WITHIN_S, "the counts", 0.5)
            wait_until(lambda: published(account, before), SHARED_WITHIN_S, "the alerts", 0.5)
            second.kill()
            account.put(*after)
            wait_until(lambda: counted(account, after), SHARED_WITHIN_S, "the counts of a dead detector's shards", 0.5)
            wait_until(lambda: published(account, after), SHARED_WITHIN_S, "their alerts", 0.5)
    assert len(first.shards()) == 4
    assert second.shards(), "it had had some"
    assert counted(account, before)
    assert len(account.published()) == sum(each.num_actions > LIMIT for each in (*before, *after))
    assert max(account.published().values()) == 1
    assert account.dead_letters() == []
