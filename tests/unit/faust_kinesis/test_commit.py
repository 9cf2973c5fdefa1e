from collections import defaultdict
from types import SimpleNamespace

import pytest
from faust.transport.consumer import Consumer as FaustConsumer
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from intervaltree import IntervalTree  # type: ignore[import-untyped]  # it has no stubs

from faust_kinesis.commit import MAX_METADATA, checkpoint, checkpoints, next_offset
from faust_kinesis.lease import Checkpoint, Lease

LEASE = Lease(key="s/shardId-000000000001", stream="s", shard_id="shardId-000000000001", offset=3, sequence="30")
offsets = st.integers(0, 60)


class Sequences:
    def sequence_at(self, offset: int) -> str:
        return f"{offset}0"


@given(offsets, st.sets(offsets))
def test_nothing_is_committed_past_an_unacknowledged_offset(committed: int, acknowledged: set[int]) -> None:
    assert set(range(committed, next_offset(committed, acknowledged))) <= acknowledged


@given(offsets, st.sets(offsets))
def test_everything_acknowledged_without_a_gap_is_committed(committed: int, acknowledged: set[int]) -> None:
    assert next_offset(committed, acknowledged) not in acknowledged


@given(offsets, st.sets(offsets), st.sets(offsets))
def test_more_acknowledgements_never_move_a_commit_back(committed: int, some: set[int], more: set[int]) -> None:
    assert next_offset(committed, some | more) >= next_offset(committed, some) >= committed


@pytest.mark.parametrize(("committed", "acknowledged"), [(31, [32, 33]), (None, [5, 6, 7])])
def test_fausts_own_search_commits_past_an_unacknowledged_offset(
    committed: int | None, acknowledged: list[int]
) -> None:
    """The bug this package works around: when Faust mends it, this test fails and the work-around may go."""
    tp = TP("s", 0)
    faust = SimpleNamespace(
        _acked={tp: list(acknowledged)},
        _acked_index={tp: set(acknowledged)},
        _gap=defaultdict(IntervalTree),
        _committed_offset={tp: committed},
    )
    assert FaustConsumer._new_offset(faust, tp) == acknowledged[-1] + 1
    assert next_offset(committed or 0, acknowledged) == (committed or 0)


def test_a_moved_offset_is_written_with_its_sequence_number_and_metadata() -> None:
    assert checkpoint(LEASE, Sequences(), 5, "w") == Checkpoint(offset=5, sequence="40", metadata="w", version=1)


def test_metadata_alone_is_written_with_the_position_as_it_was() -> None:
    assert checkpoint(LEASE, Sequences(), None, "w") == Checkpoint(offset=3, sequence="30", metadata="w", version=1)


def test_nothing_is_written_when_nothing_changed() -> None:
    assert checkpoint(LEASE, Sequences(), None, "") is None


def test_metadata_over_32_kib_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than 32768 bytes"):
        checkpoint(LEASE, Sequences(), None, "x" * (MAX_METADATA + 1))


def test_only_shards_that_are_held_and_read_are_written() -> None:
    other = TP("s", 2)
    written = checkpoints({LEASE.tp: LEASE}, {LEASE.tp: Sequences()}, {LEASE.tp: 4, other: 9}, {other: "w"})
    assert list(written) == [LEASE.key]
