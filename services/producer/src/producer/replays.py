"""The replays of a service: one at a time, the latest remembered."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from producer.errors import ReplayError, StateError
from producer.metrics import ProducerMetrics
from producer.options import ReplayOptions
from producer.replay import Replay
from producer.run import World
from servicekit.health import Health
from servicekit.logs import get_logger

_REMEMBERED: Final = 100
_TURN_S: Final = 0.5
_log = get_logger(__name__)


class BusyError(Exception):
    """Another replay plays."""


class UnknownError(Exception):
    """No replay has this id."""


class NotReadyError(Exception):
    """The service has not started, is stopping, or lacks what it needs for now."""


@dataclass
class Replays:
    """Starts, remembers and stops replays; `run` plays them."""

    metrics: ProducerMetrics
    health: Health
    known: dict[str, Replay] = field(default_factory=dict)
    _active: Replay | None = None
    _world: World | None = None
    _started: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, options: ReplayOptions) -> Replay:
        """Start a replay.

        Raises:
            BusyError: another plays.
            NotNowError: another plays from elsewhere, or the rows would be late.
            NotReadyError: the service does not run.
        """
        world = self._ready()
        now = world.clock.now()
        return await self._begin(Replay(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", options, world))

    async def resume(self, replay_id: str, *, allow_late: bool = False) -> Replay:
        """Go on with a replay that was stopped or killed, from its saved state.

        Raises:
            UnknownError: there is no state of it, or one that this version cannot go on with.
            BusyError: another plays.
            NotNowError: another plays from elsewhere, or the rows would be late and `allow_late` is not set.
            NotReadyError: the service does not run, or its states cannot be read now.
        """
        world = self._ready()
        try:
            state = await world.states.load(replay_id)
        except StateError as error:
            raise NotReadyError(str(error)) from error
        if state is None:
            raise UnknownError(replay_id)
        try:
            options = ReplayOptions.model_validate_json(state.options)
        except ValidationError as error:
            msg = (
                f"{replay_id} that this version can go on with: {error.error_count()} of its options are unknown to it"
            )
            raise UnknownError(msg) from error
        if allow_late:
            options = options.model_copy(update={"allow_late": True})
        return await self._begin(Replay(replay_id, options, world, resume=True))

    def _ready(self) -> World:
        if self._world is None:
            msg = "the service is starting or stopping; try again in a moment"
            raise NotReadyError(msg)
        if self._active is not None:
            msg = f"replay {self._active.replay_id} plays; stop it (DELETE) or wait for its end"
            raise BusyError(msg)
        return self._world

    async def _begin(self, replay: Replay) -> Replay:
        await replay.check()
        self._ready()
        self._active = replay
        self.known.pop(replay.replay_id, None)
        self.known[replay.replay_id] = replay
        while len(self.known) > _REMEMBERED:
            del self.known[next(iter(self.known))]
        self._started.set()
        return replay

    def get(self, replay_id: str) -> Replay:
        """Return a replay.

        Raises:
            UnknownError: it has not been started since the service was.
        """
        try:
            return self.known[replay_id]
        except KeyError:
            raise UnknownError(replay_id) from None

    async def run(self, world: World, stop: asyncio.Event) -> None:
        """Play what is started, until `stop` is set; the one that plays then is stopped, and can be resumed."""
        self._world = world
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self._watch()), group.create_task(self._play())]
            await stop.wait()
            self._world = None
            while self._active is not None:
                self._active.stop()
                await asyncio.sleep(_TURN_S / 10)
            for helper in helpers:
                helper.cancel()

    async def _watch(self) -> None:
        while True:
            self.health.beat()
            if self._active is not None:
                self.metrics.observe(self._active.progress, active=True)
            await asyncio.sleep(_TURN_S)

    async def _play(self) -> None:
        while True:
            await self._started.wait()
            self._started.clear()
            if self._active is not None:
                await self._play_one(self._active)
                self._active = None

    async def _play_one(self, replay: Replay) -> None:
        _log.info("replay_started", replay_id=replay.replay_id, sources=replay.options.sources)
        try:
            await replay.run()
        except ReplayError as error:
            _log.error("replay_failed", replay_id=replay.replay_id, reason=str(error))
        except Exception:  # noqa: BLE001 - one replay that fails is no reason for the service to end
            _log.exception("replay_failed", replay_id=replay.replay_id)
        else:
            counts = replay.progress
            _log.info(
                "replay_ended",
                replay_id=replay.replay_id,
                phase=counts.phase,
                sent=counts.sent,
                bad=counts.bad,
                late=counts.late,
            )
        self.metrics.observe(replay.progress, active=False)
