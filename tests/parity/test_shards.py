"""Several shards, some idle: windower and Flink job say what the domain and the naive judge say of them."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from bench.in_process import SETTINGS, InProcessWindower, on_uvloop
from bench.memory_aws import MemoryKinesis, MemoryTransport, to_pages
from storepulse.activity.counts import WindowCount, decode_count
from storepulse.instants import format_instant
from tests.builders import START, payload
from tests.parity import answers
from tests.parity.answers import Answer, delivered
from tests.parity.cases import stream
from tests.parity.job import needs_flink, run_recordings
from tests.parity.shards import Read, case, faust, in_order, naive, pure, recording

SEEDS = range(40)
BOTH = frozenset({"shard-0", "shard-1"})


def names(reads: list[Read]) -> list[str]:
    return sorted(set().union(*(read.active for read in reads)))


@pytest.mark.parametrize("shards", [2, 3, 5])
async def test_the_windower_says_of_several_shards_what_the_domain_and_the_judge_say(shards: int) -> None:
    for seed in SEEDS:
        reads = case(seed, shards=shards, reads=25)
        expected = pure(reads, names(reads))
        assert (await faust(reads, names(reads), batch=seed % 13 + 1)).differences(expected) == [], seed
        assert naive(reads, names(reads)).differences(expected) == [], seed


@pytest.mark.parity
@pytest.mark.timeout(600)
async def test_the_windower_agrees_on_hundreds_of_cases_of_several_shards() -> None:
    for seed in range(1_000, 1_400):
        reads = case(seed, shards=seed % 4 + 2, reads=60)
        expected = pure(reads, names(reads))
        assert (await faust(reads, names(reads), batch=seed % 29 + 1)).differences(expected) == [], seed
        assert naive(reads, names(reads)).differences(expected) == [], seed


@needs_flink
@pytest.mark.timeout(600)
def test_the_flink_job_with_several_shards_in_one_subtask_says_what_the_domain_says(tmp_path: Path) -> None:
    agree([case(seed, shards=seed % 4 + 2, reads=25) for seed in range(12)], tmp_path)


@needs_flink
@pytest.mark.parity
@pytest.mark.timeout(1_800)
def test_the_flink_job_agrees_on_hundreds_of_reads_of_several_shards(tmp_path: Path) -> None:
    agree([case(seed, shards=seed % 4 + 2, reads=400) for seed in range(2_000, 2_024)], tmp_path)


def agree(cases: list[list[Read]], folder: Path) -> None:
    """Raise when the job says something else of one of `cases` than the domain."""
    answers = run_recordings([recording(reads, names(reads)) for reads in cases], folder)
    for reads, answer in zip(cases, answers, strict=True):
        assert answer.differences(pure(reads, names(reads)))[:5] == []


@needs_flink
def test_a_backlog_of_two_shards_in_one_subtask_makes_no_record_late(tmp_path: Path) -> None:
    """Each shard has five minutes; the first is read whole, before the second."""
    backlog = [[action(shard, second) for second in range(300)] for shard in ("a", "b")]
    reads = [Read(shard, payloads, BOTH) for shard, payloads in zip(sorted(BOTH), backlog, strict=True)]
    [answer] = run_recordings([recording(reads, sorted(BOTH))], tmp_path)
    assert not answer.bad
    assert sum(count.num_actions for count in answer.finals) == 600


def action(user: str, second: int) -> bytes:
    return payload(user_id=user, txn_timestamp=format_instant(START + 1_000 * second))


def test_the_cases_hold_idle_shards_and_every_kind_of_outcome() -> None:
    told: Counter[str] = Counter()
    for seed in SEEDS:
        reads = case(seed, shards=3, reads=25)
        answer = pure(reads, names(reads))
        told.update(kind for kind, _ in answer.bad.elements())
        told.update(idle=sum(len(read.active) < 3 for read in reads), earlies=answer.earlies.total())
    assert all(told[kind] > 20 for kind in ("late", "malformed", "invalid", "idle", "earlies")), told


def test_a_judge_that_is_a_millisecond_off_disagrees_on_several_shards() -> None:
    cases = [case(seed, shards=2, reads=25) for seed in SEEDS]
    assert any(naive(each, names(each), off_by=1).differences(naive(each, names(each))) for each in cases)


@pytest.mark.parametrize(
    "shards", [[stream(seed=3, cases=4, events=100)], in_order(2, 3_000), in_order(3, 2_000)], ids=["1", "2", "3"]
)
def test_the_whole_windower_with_faust_and_transport_says_what_the_domain_says(shards: list[list[bytes]]) -> None:
    if len(shards) == 1:
        expected = answers.pure(shards[0])
    else:
        reads = [Read(f"{n}", payloads, frozenset(map(str, range(len(shards))))) for n, payloads in enumerate(shards)]
        expected = pure(reads, names(reads))
    assert whole_windower(shards, expected).differences(expected) == []


def whole_windower(shards: list[list[bytes]], expected: Answer) -> Answer:
    """Return what a windower delivers over Faust and our transport, until there is as much as is `expected`."""
    kinesis = MemoryKinesis([to_pages(payloads, size=500) for payloads in shards])
    enough = expected.finals.total() + expected.earlies.total()
    return on_uvloop(_life, kinesis, enough)


async def _life(kinesis: MemoryKinesis, enough: int) -> Answer:
    windower = InProcessWindower(SETTINGS, partial(MemoryTransport, kinesis=kinesis))
    async with windower.running():
        await windower.until(lambda: len(kinesis.taken) >= enough)
    counts = [count for count in map(decode_count, kinesis.taken) if isinstance(count, WindowCount)]
    return delivered(counts, windower.bad_events.taken)
