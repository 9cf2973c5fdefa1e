"""The real REES46 sample with planted bots, through real parts: every count right, every fast bot told once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from storepulse.failures import FailureKind
from tests.chain import LIMIT, Chain
from tests.emulator import ROOT

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]
DATA = ROOT / "data"
SAMPLE_ROWS = 13_884
BAD_ROWS, LATE_ROWS = 5, 2  # of demo_stragglers.csv


class Played:
    """The chain after the whole replay, and the labels of the bots that were planted."""

    def __init__(self, chain: Chain, labels: list[dict[str, Any]]) -> None:
        self.chain = chain
        self.labels = labels
        self.events = SAMPLE_ROWS + BAD_ROWS + LATE_ROWS + sum(label["actions"] for label in labels)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("chain")
    labels = folder / "labels.json"
    with Chain(folder) as chain:
        chain.replay(
            str(DATA / "rees46_multicategory_2019-10-01.csv.gz"),
            str(DATA / "demo_stragglers.csv"),
            *("--clock", "event", "--anchor", "end", "--speed", "400"),
            *("--inject", str(DATA / "demo_bots.json"), "--labels", str(labels)),
        )
        found = Played(chain, msgspec.json.decode(labels.read_bytes())["bots"])
        chain.until_accounted(found.events)
        yield found


def test_every_event_is_counted_or_set_aside(played: Played) -> None:
    kinds = Counter(event.kind for event in played.chain.bad.values())
    assert kinds[FailureKind.LATE] == LATE_ROWS
    assert kinds.total() == BAD_ROWS + LATE_ROWS
    assert sum(played.chain.counts().values()) == played.events - BAD_ROWS - LATE_ROWS


def test_every_count_of_every_user_and_window_is_the_exact_one(played: Played) -> None:
    assert played.chain.counts() == played.chain.exact()


def test_every_fast_bot_is_told_exactly_once_and_nobody_else(played: Played) -> None:
    played.chain.collect()
    fast = {label["user_id"] for label in played.labels if label["should_alert"]}
    assert len(fast) >= 8
    assert Counter(alert.user_id for alert in played.chain.messages) == dict.fromkeys(fast, 1)


def test_every_window_over_the_limit_has_a_stored_alert(played: Played) -> None:
    stored = {(alert["user_id"], alert["window_start"]) for alert in played.chain.alerts().values()}
    assert stored == {key for key, n in played.chain.exact().items() if n > LIMIT}


def test_the_labels_are_what_the_counts_say(played: Played) -> None:
    counts = played.chain.counts()
    for label in played.labels:
        for window in label["windows"]:
            assert counts[label["user_id"], window["window_start"]] == window["num_actions"]
