"""When a shard's progress is checkpointed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.handlers import Outcome, Place
from detector.kcl.protocol import CheckpointRefusedError, Initialize, Position, ProcessRecords
from detector.metrics import ShardMetrics
from detector.records import Record
from detector.shard import ShardProcessor
from servicekit.clock import ManualClock
from tests.unit.detector.builders import record


class Shard:
    """A shard processor with its surroundings."""

    def __init__(self, every: float = 1.0) -> None:
        self.clock = ManualClock()
        self.metrics = ShardMetrics(self.clock)
        self.handled: list[Record] = []
        self.written: list[Position | None] = []
        self.refusal: CheckpointRefusedError | None = None
        self.error: Exception | None = None
        self.initialized: list[str] = []
        self.works = self.ends = 0
        self.processor = ShardProcessor(
            self.handle,
            stream="counts",
            metrics=self.metrics,
            clock=self.clock,
            checkpoint_every=timedelta(seconds=every),
            on_initialized=self.initialized.append,
            on_handled=self.work,
            on_shutdown=self.end,
        )
        self.processor.initialize(Initialize(shard_id="s-0"))

    def handle(self, records: Sequence[Record], place: Place) -> Outcome:
        assert place == Place(stream="counts", shard_id="s-0")
        if self.error:
            raise self.error
        self.handled.extend(records)
        return Outcome(finals=len(records))

    def work(self) -> None:
        self.works += 1

    def end(self) -> None:
        self.ends += 1

    def checkpoint(self, position: Position | None) -> None:
        if self.refusal:
            raise self.refusal
        self.written.append(position)

    def receive(self, *sequences: int) -> None:
        """Process a batch with those sequence numbers."""
        batch = [record(b"", sequence, sequence % 3) for sequence in sequences]
        self.processor.process_records(ProcessRecords(records=batch, millis_behind_latest=5), self)

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def value(self, name: str) -> float | None:
        """Return a metric's value."""
        return self.metrics.registry.get_sample_value(name)


def test_a_checkpoint_waits_for_its_time_and_then_names_the_last_record_with_its_place_inside() -> None:
    shard = Shard()
    shard.receive(1, 2)
    assert shard.written == []
    shard.advance(1)
    shard.receive(3, 5)
    assert shard.written == [Position("5", 2)]


def test_an_empty_batch_is_the_chance_to_checkpoint_the_last_one() -> None:
    shard = Shard()
    shard.receive(1)
    shard.advance(2)
    shard.receive()
    assert shard.written == [Position("1", 1)]


def test_nothing_is_checkpointed_twice_and_an_idle_shard_does_not_look_stuck() -> None:
    shard = Shard()
    shard.receive(1)
    for _ in range(5):
        shard.advance(60)
        shard.receive()
    assert shard.written == [Position("1", 1)]
    assert shard.value("detector_seconds_since_checkpoint") == 0


def test_a_batch_that_failed_is_never_checkpointed() -> None:
    shard = Shard(every=0)
    shard.receive(1)
    shard.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        shard.receive(2)
    shard.processor.shutdown_requested(shard)
    assert shard.written == [Position("1", 1)]


@pytest.mark.parametrize("name", ["ThrottlingException", "ShutdownException"])
def test_a_checkpoint_refused_for_now_is_tried_again_at_the_next_time(name: str) -> None:
    shard = Shard()
    shard.receive(1)
    shard.refusal = CheckpointRefusedError(name)
    shard.advance(1)
    shard.receive()
    shard.refusal = None
    shard.advance(1)
    shard.receive()
    assert shard.written == [Position("1", 1)]


def test_a_checkpoint_refused_for_good_ends_the_child() -> None:
    shard = Shard(every=0)
    shard.refusal = CheckpointRefusedError("InvalidStateException")
    with pytest.raises(CheckpointRefusedError):
        shard.receive(1)


def test_an_orderly_end_checkpoints_at_once_and_flushes() -> None:
    shard = Shard(every=300)
    shard.receive(1)
    shard.processor.shutdown_requested(shard)
    assert (shard.written, shard.ends) == ([Position("1", 1)], 1)


def test_the_end_of_a_shard_is_checkpointed_and_a_lost_lease_is_not() -> None:
    ended, lost = Shard(every=300), Shard(every=300)
    for shard in (ended, lost):
        shard.receive(1)
    ended.processor.shard_ended(ended)
    lost.processor.lease_lost()
    assert (ended.written, lost.written) == ([None], [])


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), max_size=30))
def test_a_checkpoint_never_passes_what_was_handled_and_never_goes_back(steps: list[tuple[int, float]]) -> None:
    shard, next_sequence = Shard(), 1
    for size, seconds in steps:
        shard.receive(*range(next_sequence, next_sequence + size))
        next_sequence += size
        shard.advance(seconds)
        handled = int(shard.handled[-1].sequence_number) if shard.handled else 0
        written = [int(position.sequence_number) for position in shard.written if position]
        assert written == sorted(set(written))
        assert not written or written[-1] <= handled


def test_the_metrics_tell_what_happened() -> None:
    shard = Shard()
    shard.receive(1, 2)
    assert shard.value("detector_millis_behind_latest") == 5
    assert shard.metrics.registry.get_sample_value("detector_records_total", {"outcome": "counted"}) == 2
    assert shard.metrics.registry.get_sample_value("detector_windows_total", {"kind": "final"}) == 2
    shard.processor.lease_lost()
    assert shard.value("detector_millis_behind_latest") == 0


def test_a_batch_that_fails_is_no_work_done_and_an_empty_one_is() -> None:
    shard = Shard()
    shard.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        shard.receive(1)
    assert shard.works == 0
    shard.receive()
    assert shard.works == 1
