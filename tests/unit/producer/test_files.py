"""Files of this machine as sources and as places for states: what can go wrong with them is said, never passed over."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from producer.adapters.file_sources import FileSources
from producer.adapters.file_states import FileStates
from producer.errors import SourceError, StateError
from producer.ports import SourceFile
from producer.state import ReplayState

STATE = ReplayState(
    replay_id="r", fingerprint="f", options="{}", since="2026-01-01T00:00:00.000Z", saved_at="2026-01-01T00:00:00.000Z"
)


async def found(path: Path) -> SourceFile:
    (file,) = await FileSources().find(str(path))
    return file


async def all_of(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def test_a_pipe_is_refused_because_it_can_be_read_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is no file"):
        await FileSources().find(str(tmp_path / "pipe"))


async def test_a_file_that_changes_between_being_found_and_being_read_ends_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"first")
    before = await found(file)
    file.write_bytes(b"second!")
    with pytest.raises(SourceError, match="has changed"):
        await all_of(FileSources().read(before))


async def test_a_file_that_is_cut_short_while_it_is_read_does_not_end_as_if_it_were_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"x" * 600_000)
    pieces = FileSources().read(await found(file))
    assert await anext(pieces)
    os.truncate(file, 300_000)
    with pytest.raises(SourceError, match="has changed"):
        await all_of(pieces)


async def test_a_state_never_takes_the_place_of_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "device")
    with pytest.raises(StateError, match="no file"):
        await FileStates(tmp_path, tmp_path / "device").save(STATE)
    assert (tmp_path / "device").is_fifo()
