"""Kill -9 of every process at random moments, and outages of AWS: nothing missing, wrong, or told twice."""

import os
from collections import Counter
from math import ceil
from pathlib import Path

import msgspec
import pytest

from tests.chain import Chain
from tests.chaos.monkey import Monkey, Replay
from tests.chaos.progress import moments, recoveries, table
from tests.emulator import ROOT
from tests.observed import BAD_ROWS, LATE_ROWS, SAMPLE_ROWS, hold_to_the_exact_answer

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(1200)]
DATA = ROOT / "data"
KILLS = int(os.environ.get("KILLS") or 30)
"""How many `make chaos` makes, in runs of ten."""
KILLS_A_RUN = 10
TOOK: list[tuple[str, float | None]] = []
"""Of every kill of this process's runs: which part, and the seconds until it got on with its work."""


def survive(
    folder: Path, *, seed: int, speed: int, deeds: int, between_s: tuple[float, float], pause_s: float
) -> Monkey:
    """Replay the sample with bots while the monkey rages, and hold what comes of it to the exact answer."""
    labels_file = folder / "labels.json"
    with Chain(folder) as chain:
        replay = Replay(
            chain,
            (
                str(DATA / "rees46_multicategory_2019-10-01.csv.gz"),
                str(DATA / "demo_stragglers.csv"),
                *("--clock", "event", "--anchor", "end", "--speed", str(speed)),
                *("--inject", str(DATA / "demo_bots.json"), "--labels", str(labels_file)),
                *("--state", str(folder / "state.json")),
            ),
        )
        monkey = Monkey(chain, replay, seed=seed, pause_s=pause_s)
        replay.start()
        monkey.rage(deeds, between_s=between_s)
        replay.finish(600)
        labels = msgspec.json.decode(labels_file.read_bytes())["bots"]
        events = SAMPLE_ROWS + BAD_ROWS + LATE_ROWS + sum(label["actions"] for label in labels)
        chain.until_accounted(events, timeout_s=240)
        hold_to_the_exact_answer(chain, events, {label["user_id"] for label in labels if label["should_alert"]})
        hold_to_one_message_an_alert(chain, monkey)
        tell(recoveries(monkey.kills, moments(chain)))
        return monkey


def hold_to_one_message_an_alert(chain: Chain, monkey: Monkey) -> None:
    """A second message is allowed only for a kill of the detector's processes between publishing and marking."""
    sent = Counter(alert.alert_id for alert in chain.messages)
    repeated = sent.total() - len(sent)
    chances = sum(name in ("detector", "daemon", "child") for name in monkey.done)
    print(f"\n{len(monkey.kills)} kills: {monkey.done}; {sent.total()} messages, {repeated} of them again")  # noqa: T201
    assert repeated <= chances
    assert len(sent) == len({alert.user_id for alert in chain.messages}), "a user was told about twice"


def tell(took: list[tuple[str, float | None]]) -> None:
    """Print how long each kill kept its part from its work, and the table of all runs until now."""
    TOOK.extend(took)
    print(", ".join(f"{part} {'-' if each is None else f'{each:.1f} s'}" for part, each in took))  # noqa: T201
    print(table(TOOK))  # noqa: T201


def test_the_chain_survives_one_of_everything(tmp_path: Path) -> None:
    monkey = survive(tmp_path, seed=1, speed=200, deeds=6, between_s=(3, 6), pause_s=5)
    assert set(monkey.done) >= {"windower", "detector", "pause"}


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(11, 11 + ceil(KILLS / KILLS_A_RUN)))
def test_the_chain_survives_many_kills_and_long_outages(tmp_path: Path, seed: int) -> None:
    monkey = survive(tmp_path, seed=seed, speed=60, deeds=12, between_s=(4, 14), pause_s=20)
    assert len(monkey.kills) >= 8, monkey.done
