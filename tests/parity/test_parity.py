"""Every final, early, late and bad record is the same, whichever engine counts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from storepulse.instants import format_instant
from tests.builders import START, heartbeat, payload
from tests.parity.answers import ARRIVED, WINDOWING, Answer, faust, naive, pure
from tests.parity.cases import corpus, drawn, otherwise, real_rows, stream
from tests.parity.job import needs_flink, run_job
from tests.parity.shrinking import shrunk

pytestmark = pytest.mark.timeout(1_800)  # a minute on a quiet machine


def replayed() -> Iterator[bytes]:
    """Yield records at the edges of how far ahead a replay may stamp, by how far it says that it shifts time."""
    most, most_of_all = WINDOWING.max_ahead, WINDOWING.max_replay_ahead
    for shift in (-(2**53), -1, 0, 1, 86_400_000, most_of_all - most, most_of_all - most + 1, 2**53):
        last = ARRIVED + min(most + max(shift, 0), most_of_all)
        for time in (last, last + 1):
            yield payload(user_id=f"{shift}", txn_timestamp=format_instant(time), replay_shift_ms=shift)
            yield heartbeat(time, replay_shift_ms=shift)
    for odd in (2**53 + 1, -(2**53) - 1, 1.0, "1", None, True, 10**30):
        yield payload(replay_shift_ms=odd)
        yield heartbeat(ARRIVED, replay_shift_ms=odd)


def user(name: str) -> bytes:
    return payload(user_id=name)


STREAMS = {
    "40 short cases": stream(seed=1, cases=36, events=60),
    "5 longer cases": stream(seed=2, cases=1, events=600),
    "records that are none": corpus(),
    "rows of REES46": real_rows(),
    "records from the far future": [
        payload(user_id=name, txn_timestamp=format_instant(ARRIVED + WINDOWING.max_ahead + more))
        for name, more in (("too far", 1), ("in time", -86_400_000), ("too far", 10**10), ("just not too far", 0))
    ]
    + [payload(user_id="late by then"), heartbeat(ARRIVED + 400 * 86_400_000)],
    "records of replays": list(replayed()),
    "users of one character": [user(chr(at)) for at in range(0x3100) if chr(at).isspace() or at % 97 == 0],
    "written otherwise": otherwise(),
    "a stream that ends with windows open": [
        payload(user_id="u", txn_timestamp=format_instant(START + n)) for n in range(15)
    ],
}
NAMES = list(STREAMS)
#: Not all windows fire by what comes after them.
ENDING = (
    NAMES[-1],
    "records from the far future",
    "records of replays",
    "users of one character",
)


DRAWN = "payloads drawn by Hypothesis"


@pytest.fixture(scope="module")
def drawn_payloads() -> list[bytes]:
    return drawn(examples=1_500)


@pytest.fixture(scope="module")
def flink(tmp_path_factory: pytest.TempPathFactory, drawn_payloads: list[bytes]) -> dict[str, Answer]:
    streams = STREAMS | {DRAWN: drawn_payloads}
    return dict(zip(streams, run_job(list(streams.values()), tmp_path_factory.mktemp("flink")), strict=True))


@needs_flink
@pytest.mark.parametrize("name", NAMES)
def test_the_flink_job_says_what_the_domain_says(name: str, flink: dict[str, Answer]) -> None:
    assert flink[name].differences(pure(STREAMS[name])) == []


@needs_flink
def test_the_flink_job_counts_what_the_decoder_takes(flink: dict[str, Answer], drawn_payloads: list[bytes]) -> None:
    expected = pure(drawn_payloads)
    assert len(expected.bad) > 300
    assert len(expected.finals) > 100
    assert flink[DRAWN].differences(expected) == []


@needs_flink
def test_a_judge_that_is_a_millisecond_off_disagrees_with_the_flink_job(flink: dict[str, Answer]) -> None:
    name = "40 short cases"
    assert flink[name].differences(naive(STREAMS[name])) == []
    assert flink[name].differences(naive(STREAMS[name], off_by=1)) != []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ENDING])
async def test_the_windower_says_what_the_domain_says(name: str) -> None:
    assert (await faust(STREAMS[name])).differences(pure(STREAMS[name])) == []


def test_the_cases_hold_every_kind_of_outcome() -> None:
    answer = pure(STREAMS["40 short cases"])
    assert {kind for kind, _ in answer.bad} == {"late", "malformed", "invalid"}
    assert answer.earlies
    assert {kind for kind, _ in pure(corpus()).bad} == {"too_large", "malformed", "invalid"}
    assert sum(pure(real_rows()).finals.values()) > 1_000


def test_a_difference_shrinks_to_the_records_that_make_it() -> None:
    def off_by_one(streams: list[Sequence[bytes]]) -> list[bool]:
        return [bool(naive(each).differences(naive(each, off_by=1))) for each in streams]

    edge = [payload(txn_timestamp=format_instant(START)), heartbeat(START + 19_999)]
    noise = [payload(user_id=f"u{n}", txn_timestamp=format_instant(START + 20_000 + n)) for n in range(40)]
    late = payload(user_id="late", txn_timestamp=format_instant(START + 9_999))
    assert shrunk([*noise[:1], *edge, late, *noise], off_by_one) == [heartbeat(START + 19_999), late]


@needs_flink
@pytest.mark.parity
async def test_the_engines_agree_on_hundreds_of_cases_and_a_million_events(tmp_path: Path) -> None:
    streams = [stream(seed=100 + n, cases=21, events=5_000) for n in range(9)]
    answers = run_job(streams, tmp_path)
    assert sum(map(len, streams)) > 1_000_000
    for records, answer in zip(streams, answers, strict=True):
        expected = pure(records)
        assert answer.differences(expected)[:5] == []
        assert (await faust(records, batch=500)).differences(expected)[:5] == []


@needs_flink
@pytest.mark.parity
async def test_the_engines_agree_on_ten_thousand_drawn_payloads_and_on_every_character(tmp_path: Path) -> None:
    payloads = drawn(examples=10_000)
    characters = [user(chr(at)) for at in range(0x110000) if not 0xD800 <= at < 0xE000]
    for records, answer in zip((payloads, characters), run_job([payloads, characters], tmp_path), strict=True):
        expected = pure(records)
        assert answer.differences(expected)[:5] == []
        assert (await faust(records, batch=500)).differences(expected)[:5] == []
