"""One shard: its batches to the use case, and its kcl_checkpoint behind what is safe."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from detector.handlers import Outcome, Place
from detector.kcl.protocol import Checkpointer, CheckpointRefusedError, Initialize, Position, ProcessRecords
from detector.metrics import ShardMetrics
from detector.records import Record
from servicekit.clock import Clock
from servicekit.logs import get_logger
from storepulse.instants import from_datetime

_log = get_logger(__name__)


class ShardProcessor:
    """Write first, then checkpoint: a kcl_checkpoint names the last record of which everything is stored."""

    def __init__(
        self,
        handle: Callable[[Sequence[Record], Place], Outcome],
        *,
        stream: str,
        metrics: ShardMetrics,
        clock: Clock,
        checkpoint_every: timedelta,
        on_initialized: Callable[[str], None],
        on_handled: Callable[[], None],
        on_shutdown: Callable[[], None],
    ) -> None:
        """Handle one shard of `stream`.

        Args:
            handle: the use case; returns when a batch is safe.
            stream: the stream's name.
            metrics: this shard's.
            clock: where the time comes from.
            checkpoint_every: the time between two kcl_checkpoints, at least.
            on_initialized: is told the shard's id.
            on_handled: is called after each batch.
            on_shutdown: is called before the last answer to an orderly end.
        """
        self._handle = handle
        self._place = Place(stream=stream, shard_id="")
        self._metrics = metrics
        self._clock = clock
        self._every = checkpoint_every.total_seconds()
        self._on_initialized = on_initialized
        self._on_handled = on_handled
        self._on_shutdown = on_shutdown
        self._safe: Position | None = None  # handled, but not checkpointed
        self._last = clock.monotonic()

    def initialize(self, message: Initialize) -> None:
        """Learn the shard's id."""
        self._place = Place(stream=self._place.stream, shard_id=message.shard_id)
        self._on_initialized(message.shard_id)
        _log.info("shard_initialized", shard_id=message.shard_id, after=message.sequence_number)

    def process_records(self, message: ProcessRecords, checkpointer: Checkpointer) -> None:
        """Handle a batch, then checkpoint if it is time; an empty one is the chance to checkpoint the last."""
        if message.millis_behind_latest is not None:
            self._metrics.millis_behind(self._place.shard_id, message.millis_behind_latest)
        if message.records:
            self._process(message.records)
        if self._clock.monotonic() - self._last >= self._every:
            self._checkpoint(checkpointer)
        self._on_handled()

    def _process(self, records: Sequence[Record]) -> None:
        began = self._clock.monotonic()
        age = from_datetime(self._clock.now()) - min(record.approximate_arrival_timestamp for record in records)
        outcome = self._handle(records, self._place)
        self._safe = Position(records[-1].sequence_number, records[-1].sub_sequence_number)
        self._metrics.record_age(age / 1000)
        self._metrics.batch(outcome, self._clock.monotonic() - began)
        self._tell(outcome, len(records))

    def _tell(self, outcome: Outcome, records: int) -> None:
        for alert, status in outcome.alerts:
            _log.info(
                "alert_raised",
                alert_id=alert.alert_id,
                rule=alert.rule,
                user_id=alert.user_id,
                num_actions=alert.num_actions,
                limit=alert.limit,
                kind=alert.kind,
                window_start=alert.window_start,
                status=status.value,
            )
        _log.info(
            "batch_processed",
            shard_id=self._place.shard_id,
            records=records,
            finals=outcome.finals,
            earlies=outcome.earlies,
            bad=len(outcome.bad),
            alerts=len(outcome.alerts),
        )

    def _checkpoint(self, checkpointer: Checkpointer) -> None:
        """Checkpoint what is safe; what is refused for now stays for the next time."""
        self._last = self._clock.monotonic()
        if self._safe is not None:
            try:
                checkpointer.checkpoint(self._safe)
            except CheckpointRefusedError as error:
                if not (error.passing or error.lease_lost):
                    raise
                _log.warning("kcl_checkpoint_refused", shard_id=self._place.shard_id, reason=str(error))
                return
            self._safe = None
        self._metrics.checkpointed()

    def lease_lost(self) -> None:
        """Drop what is not checkpointed; who has the lease now handles it again."""
        _log.info("lease_lost", shard_id=self._place.shard_id)
        self._leave()

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Checkpoint the shard's end, on which its successors wait.

        Raises:
            CheckpointRefusedError: it was not written; the child ends and the shard's end comes again.
        """
        checkpointer.checkpoint(None)
        _log.info("shard_ended", shard_id=self._place.shard_id)
        self._leave()

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Checkpoint all that is safe, at once."""
        self._checkpoint(checkpointer)
        _log.info("shard_shut_down", shard_id=self._place.shard_id, checkpointed=self._safe is None)
        self._leave()

    def _leave(self) -> None:
        self._metrics.forget_shard(self._place.shard_id)
        self._on_shutdown()
