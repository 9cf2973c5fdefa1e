"""The Faust application: batches in from the shards this worker holds, acknowledgements and progress out.

The agent's stream is `noack`: a batch is acknowledged when its last window is delivered, long after the next ones were
read. When the shards are dealt out anew (another *generation*) everything unacknowledged comes again from the
checkpoints, so counting starts over with what they say.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import faust
from faust.tables.manager import TableManager
from faust.types import TP, EventT
from mode.supervisors import CrashingSupervisor

from faust_kinesis.records import RecordBatch
from servicekit.clock import Clock
from storepulse.instants import from_datetime, to_milliseconds
from windower.figures import Figures
from windower.freshness import Freshness
from windower.handlers import Batch, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.progress import Progress, from_metadata, to_metadata
from windower.settings import WindowerSettings

BATCH: Final = 5_000
"""Records a message at most: what a message costs is spread over many while there is a backlog."""


READS: Final = 4
"""GetRecords calls a second and shard: of the five that Kinesis allows, Firehose makes one."""


class Token(NamedTuple):
    """Acknowledges one batch."""

    tp: TP
    offset: int
    generation: int


Handler = WindowUserActions[Token]
MakeHandler = Callable[[Mapping[str, Progress]], Handler]


def create_faust_app(settings: WindowerSettings) -> faust.App:
    """Return the Faust application, with no agent yet."""
    broker = (
        f"kinesis://{settings.region}?lease={settings.lease.total_seconds()}&exclusive={int(settings.exclusive)}"
        f"&start={settings.start}&idle={settings.idle_after.total_seconds()}&batch={BATCH}&reads={READS}"
    )
    named = f"&worker={settings.worker}" if settings.worker else ""
    return faust.App(
        settings.app_id,
        broker=broker + named,
        datadir=Path(tempfile.gettempdir()) / "storepulse-windower",  # Faust makes it; nothing is kept there
        broker_commit_interval=settings.commit_interval.total_seconds(),
        stream_wait_empty=False,  # batches of open windows stay unacknowledged on purpose
        stream_buffer_maxsize=64,  # batches; the transport bounds the bytes
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        web_enabled=False,
        TableManager=NoTables,
    )


class NoTables(TableManager):  # type: ignore[misc]  # faust has no types
    """Faust's own waits a second for tables to be declared before anything is read, and the windower has none."""

    async def on_start(self) -> None:
        """Go on at once, as Faust's does after that second."""
        await self._update_channels()
        await self.recovery.start()


class Worker:
    """Feeds the handler of the present generation, one batch at a time."""

    def __init__(
        self,
        app: faust.App,
        *,
        make_handler: MakeHandler,
        settings: WindowerSettings,
        metrics: WindowerMetrics,
        clock: Clock,
    ) -> None:
        """Add the agent to `app`."""
        self.app = app
        self._make_handler = make_handler
        self._exclusive = settings.exclusive
        self._max_drift = to_milliseconds(settings.max_drift)
        self._idle_after = to_milliseconds(settings.idle_after)
        self._metrics = metrics
        self._clock = clock
        self._turn = asyncio.Lock()
        self._sound = True
        self._generation = -1
        self._handler: Handler | None = None
        self._shards: dict[TP, str] = {}
        self._processed: dict[TP, int] = {}
        self._paused: set[TP] = set()
        self._freshness: Freshness[Token] = Freshness(self._idle_after)
        topic = app.topic(settings.source_stream, value_serializer="raw")
        # A crashed agent has lost its open windows while their batches stay unacknowledged: restarting it alone would
        # never commit again, so the process must die and read them again.
        app.agent(topic, name="count_user_actions", supervisor_strategy=CrashingSupervisor)(self._run)

    async def _run(self, stream: faust.Stream[RecordBatch]) -> None:
        async for event in stream.noack().events():
            async with self._delivery() as sound:
                if sound:
                    await self._take(event)

    @asynccontextmanager
    async def _delivery(self) -> AsyncIterator[bool]:
        """Take turns; yield False once a delivery was broken off (by an error, or because the service stops).

        A window that has fired is out of memory before it is delivered: nothing may go on from there, least of all the
        progress that is committed at the end.
        """
        async with self._turn:
            sound, self._sound = self._sound, False
            yield sound
            self._sound = sound

    async def _take(self, event: EventT[RecordBatch]) -> None:
        message = event.message
        if message.generation_id != self.app.consumer.generation:
            return  # of an assignment that is over: it comes again
        handler = self._present_handler(message.generation_id)
        tp, records = message.tp, event.value
        token = Token(tp, message.offset, message.generation_id)
        self._freshness.took(token, self._now())
        batch = Batch(
            stream=records.stream,
            shard_id=records.shard_id,
            payloads=records.payloads(),
            sequence_numbers=records.sequence_numbers,
            arrivals=records.arrivals,
            token=token,
        )
        active = self._active() | {records.shard_id}
        done = await handler.take(batch, active=active)
        self._processed[tp] = message.offset
        self._finish(handler, done)

    async def look_around(self) -> None:
        """Fire what shards that fell idle held back, and show how current the counts are; about once a second."""
        self._metrics.current(self.figures() or Figures())
        if self._turn.locked():
            return  # a batch is being counted: it does the same
        async with self._delivery() as sound:
            handler = self._handler
            if sound and handler is not None and self._generation == self.app.consumer.generation:
                self._finish(handler, await handler.fire(active=self._active()))

    def figures(self) -> Figures | None:
        """Return how current the counts are; None when this worker reads no shard."""
        lag, now = self.app.consumer.lag, self._now()
        if not lag:
            return None
        if self._generation != self.app.consumer.generation:  # dealt out anew, and nothing has come yet
            return Figures(millis_behind=self._behind(lag, {}, now))
        return Figures(
            watermark_age=self._freshness.watermark_age(now) / 1000,
            oldest_unacknowledged=self._freshness.oldest_unacknowledged(now) / 1000,
            millis_behind=self._behind(lag, self._processed, now),
            paused_shards=len(self._paused),
        )

    def _behind(self, lag: Mapping[str, int], processed: Mapping[TP, int], now: int) -> dict[str, float]:
        """Return how far each shard is behind: its oldest record that is read and not counted, or else its reader."""
        consumer = self.app.consumer
        behind: dict[str, float] = {}
        for tp in consumer.assignment():
            shard = consumer.shard_id(tp)
            if shard in lag:
                arrived = consumer.arrival(tp, processed.get(tp, -1))
                behind[shard] = max(lag[shard], 0 if arrived is None else now - arrived)
        return behind

    def _now(self) -> int:
        return from_datetime(self._clock.now())

    def _present_handler(self, generation: int) -> Handler:
        if self._handler is None or generation != self._generation:
            consumer = self.app.consumer
            self._generation = generation
            self._processed, self._paused = {}, set()
            self._freshness = Freshness(self._idle_after)
            self._shards = {tp: consumer.shard_id(tp) for tp in consumer.assignment()}
            self._handler = self._make_handler(self._restored(consumer.commit_metadata))
        return self._handler

    def _restored(self, metadata: Mapping[TP, str]) -> dict[str, Progress]:
        restored = {shard: from_metadata(metadata.get(tp, "")) for tp, shard in self._shards.items()}
        if not self._exclusive:
            return restored  # a user's records are all in one shard, which knows its own windows
        out = max(progress.watermark for progress in restored.values())
        return {shard: Progress(watermark=out, decided=each.decided) for shard, each in restored.items()}

    def _active(self) -> set[str]:
        idle = self.app.consumer.idle
        return {shard for tp, shard in self._shards.items() if not idle(tp, self._processed.get(tp, -1))}

    def _behind_tip(self) -> set[str]:
        at_tip = self.app.consumer.at_tip
        return {shard for tp, shard in self._shards.items() if not at_tip(tp, self._processed.get(tp, -1))}

    def _finish(self, handler: Handler, done: Sequence[Token]) -> None:
        """Set progress, then acknowledge: a commit may come between the two, but not see them the other way round."""
        consumer = self.app.consumer
        if consumer.generation != self._generation:
            return  # reassigned meanwhile: the batches come again, and their windows are sent again, the same
        progress = handler.progress()
        consumer.commit_metadata.update({tp: to_metadata(progress[shard]) for tp, shard in self._shards.items()})
        self._freshness.watermark(handler.watermark(), self._now())
        self._freshness.acknowledged(done)
        for token in done:
            consumer.acknowledge(token.tp, token.offset, token.generation)
        self._align(handler)

    def _align(self, handler: Handler) -> None:
        """Stop reading shards that are far ahead, and go on with those that are no more."""
        ahead = handler.ahead(self._behind_tip(), self._max_drift)
        paused = {tp for tp, shard in self._shards.items() if shard in ahead}
        if paused == self._paused:
            return
        self.app.consumer.resume_partitions(self._paused - paused)
        self.app.consumer.pause_partitions(paused - self._paused)
        self._paused = paused
