"""Replays over HTTP."""

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, status
from pydantic import BaseModel, Field

from producer.errors import NotNowError
from producer.options import ReplayOptions
from producer.progress import Phase
from producer.replay import Replay
from producer.replays import BusyError, NotReadyError, Replays, UnknownError

ReplayId = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,64}$", description="as POST /replays returned it")]


class ReplayView(BaseModel):
    """A replay and how far it has come."""

    replay_id: str
    phase: Phase
    options: ReplayOptions
    bytes_read: int = Field(description="of the sources, as stored")
    bytes_total: int
    rows: int = Field(description="read, bad and planted ones included")
    planted: int = Field(description="actions of planted bots")
    sent: int = Field(description="accepted by Kinesis")
    found: int = Field(description="after resuming: in the stream already")
    bad: int = Field(description="rows that are no events, in the bad-events queue")
    late: int = Field(
        description="rows whose window had ended by what their shard had shown: so many are late at most, but for what "
        "others write into the stream meanwhile"
    )
    late_from_start: int = Field(description="of these: by what the stream had shown before the replay")
    confirmed: int = Field(description="rows, in order, that a resumed replay passes over")
    retries: int
    heartbeats: int
    behind_s: float = Field(description="seconds behind the schedule")
    incomplete: list[str] = Field(description="files that could not be read to their end")
    notes: list[str] = Field(description="what is to be known of it, such as that rows will be late")
    error: str = Field(description="why it failed")

    @classmethod
    def of(cls, replay: Replay) -> "ReplayView":
        """Return the view of `replay` now."""
        counts = replay.progress
        names = set(cls.model_fields) - {"replay_id", "options"}
        return cls(
            replay_id=replay.replay_id, options=replay.options, **{name: getattr(counts, name) for name in names}
        )


class Problem(BaseModel):
    """Why not."""

    detail: str


_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none with this id"}}
_BUSY: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Another one plays, or rows would be late: it says from when they are not"},
    503: {"model": Problem, "description": "The service is starting or stopping, or cannot read its states"},
}


def add_replays(api: FastAPI, replays: Replays) -> None:
    """Add the routes under `/replays` to `api`."""

    @api.post("/replays", status_code=status.HTTP_201_CREATED, responses=_BUSY, tags=["replays"])
    async def start_replay(options: ReplayOptions) -> ReplayView:
        """Start a replay of objects in the raw bucket; one plays at a time.

        With the event clock and no `base` it starts after all that the stream is stamped with, by whomever.
        """
        try:
            return ReplayView.of(await replays.start(options))
        except (BusyError, NotNowError, NotReadyError) as error:
            raise _refusal(error) from error

    @api.post("/replays/{replay_id}/resume", responses=_BUSY | _UNKNOWN, tags=["replays"])
    async def resume_replay(replay_id: ReplayId, *, allow_late: bool = False) -> ReplayView:
        """Go on where a stopped or killed replay was; nothing is sent twice."""
        try:
            return ReplayView.of(await replays.resume(replay_id, allow_late=allow_late))
        except (BusyError, NotNowError, NotReadyError, UnknownError) as error:
            raise _refusal(error) from error

    @api.get("/replays", tags=["replays"])
    async def list_replays() -> list[ReplayView]:
        """Return the replays since the service started, the latest hundred, oldest first."""
        return [ReplayView.of(replay) for replay in replays.known.values()]

    @api.get("/replays/{replay_id}", responses=_UNKNOWN, tags=["replays"])
    async def show_replay(replay_id: ReplayId) -> ReplayView:
        """Return a replay's progress."""
        try:
            return ReplayView.of(replays.get(replay_id))
        except UnknownError as error:
            raise _refusal(error) from error

    @api.delete("/replays/{replay_id}", status_code=status.HTTP_202_ACCEPTED, responses=_UNKNOWN, tags=["replays"])
    async def stop_replay(replay_id: ReplayId) -> ReplayView:
        """Stop a replay: rows on their way arrive, and it can be resumed."""
        try:
            replay = replays.get(replay_id)
        except UnknownError as error:
            raise _refusal(error) from error
        replay.stop()
        return ReplayView.of(replay)


def _refusal(error: Exception) -> HTTPException:
    match error:
        case UnknownError():
            return HTTPException(status.HTTP_404_NOT_FOUND, f"no replay {error}")
        case BusyError() | NotNowError():
            return HTTPException(status.HTTP_409_CONFLICT, str(error))
        case _:
            return HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, str(error))
