"""Hypothesis looks for streams on which the engines of this process differ, and shrinks what it finds."""

import asyncio
from itertools import chain

from hypothesis import find, given, settings
from hypothesis import strategies as st

from storepulse.instants import format_instant
from tests.builders import START, heartbeat, payload
from tests.parity import answers
from tests.parity.cases import CORPUS, HOUR
from tests.parity.shards import Read, faust, naive, pure

SHARDS = ["0", "1"]
EDGES = [0, 9_998, 9_999, 10_000, 19_998, 19_999, 20_000, 29_998, 29_999, 30_000, 39_999]

times = st.one_of(st.sampled_from(EDGES), st.integers(0, 60_000)).map(lambda at: START + at)
actions = st.builds(
    lambda user, at: payload(user_id=user, txn_timestamp=format_instant(at)), st.sampled_from(["a", "b"]), times
)
bursts = st.builds(lambda record, times: [record] * times, actions, st.sampled_from([1, 1, 1, 2, 10, 11]))
records = st.one_of(
    bursts,
    times.map(lambda at: [heartbeat(at)]),
    st.sampled_from([each for each in CORPUS if len(each) < 1_000]).map(lambda record: [record]),
)
read = st.builds(
    lambda shard, parts, active: Read(shard, list(chain.from_iterable(parts)), frozenset(active | {shard})),
    st.sampled_from(SHARDS),
    st.lists(records, min_size=1, max_size=6),
    st.sets(st.sampled_from(SHARDS)),
)
END = [Read(shard, [heartbeat(START + HOUR)], frozenset(SHARDS)) for shard in SHARDS]
streams = st.lists(read, max_size=8).map(lambda reads: [*reads, *END])


@given(streams, st.integers(1, 12))
def test_no_stream_is_found_on_which_domain_windower_and_judge_differ(reads: list[Read], batch: int) -> None:
    expected = pure(reads, SHARDS)
    assert asyncio.run(faust(reads, SHARDS, batch=batch)).differences(expected) == []
    assert naive(reads, SHARDS).differences(expected) == []


def test_a_judge_a_millisecond_off_is_found_out_by_a_stream_of_a_few_records() -> None:
    def differs(found: list[list[bytes]]) -> bool:
        stream = [*chain.from_iterable(found), END[0].payloads[0]]
        return bool(answers.naive(stream, off_by=1).differences(answers.pure(stream)))

    repeatable = settings(derandomize=True, deadline=None, max_examples=1_000, database=None)
    smallest = find(st.lists(records, max_size=30), differs, settings=repeatable)
    assert 2 <= len(list(chain.from_iterable(smallest))) <= 6
