"""What a person sees of a replay: a progress bar on a terminal, lines elsewhere."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from producer.errors import ReplayError
from producer.options import ReplayOptions
from producer.ports import Entry, Put
from producer.progress import Progress

_BAR_EVERY_S: Final = 0.1
_LINE_EVERY_S: Final = 5.0


class _Category(msgspec.Struct):
    category_code: str = "(no category)"


_category = msgspec.json.Decoder(_Category).decode


class Report:
    """The lines of a replay on stdout, and its end."""

    def __init__(self, options: ReplayOptions) -> None:
        """Report on a replay with `options`."""
        self._options = options
        self.failed = ""

    def sent(self, entry: Entry, put: Put) -> None:
        """Print a record's HTTP status and category, as the original replay does.

        Raises:
            ReplayError: nobody reads them (`| head`), or the disk they go to is full.
        """
        try:
            sys.stdout.write(f"{put.http_status} {_category(entry.payload).category_code}\n")
            sys.stdout.flush()
        except OSError as error:
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # what is buffered is not tried again at exit
            msg = f"its lines cannot be written: {error.strerror}"
            raise ReplayError(msg) from error

    def finish(self, progress: Progress) -> int:
        """Say on stderr how it ended, and return the exit code."""
        lines = [summary(progress)]
        lines += [f"incomplete: {each}" for each in progress.incomplete]
        if progress.late:
            lines.append(
                f"late: {progress.late:,} rows went into windows that had ended, {progress.late_from_start:,} of them "
                "by what the stream had shown before this replay; the windower sets them aside"
            )
        if self.failed:
            lines.append(f"producer: {self.failed}")
        elif progress.phase == "stopped":
            lines.append("stopped; the same command with --resume goes on")
        sys.stderr.write("\n".join(lines) + "\n")
        if self.failed or progress.incomplete:
            return 1
        return 130 if progress.phase == "stopped" else 3 if progress.late_from_start else 0


def summary(progress: Progress) -> str:
    """Return the counts in one line."""
    there = f", {progress.found:,} there already" if progress.found else ""
    return (
        f"{progress.phase}: {progress.rows:,} rows ({progress.planted:,} planted): {progress.sent:,} sent{there}, "
        f"{progress.bad:,} bad; {progress.retries:,} sent again, {progress.heartbeats:,} heartbeats"
    )


async def show(progress: Progress) -> None:
    """Show `progress` on stderr until it is over."""
    console, told = Console(stderr=True, soft_wrap=True), 0

    def tell() -> None:
        nonlocal told
        for note in progress.notes[told:]:
            console.print(f"note: {note}", markup=False, highlight=False)
        told = len(progress.notes)

    await (_show_bar(progress, console, tell) if console.is_terminal else _show_lines(progress, tell))
    tell()


async def _show_bar(progress: Progress, console: Console, tell: Callable[[], None]) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, TextColumn("{task.fields[counts]}"), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, counts="")
        rates = _Rate()
        while not progress.over:
            tell()
            counts = f"{progress.rows:,} rows, {rates(progress.sent):,.0f} records/s"
            total = progress.bytes_total or None
            bar.update(task, description=progress.phase, total=total, completed=progress.bytes_read, counts=counts)
            await asyncio.sleep(_BAR_EVERY_S)


async def _show_lines(progress: Progress, tell: Callable[[], None]) -> None:
    rates, waited = _Rate(), 0.0
    while not progress.over:
        await asyncio.sleep(_BAR_EVERY_S)
        waited += _BAR_EVERY_S
        tell()
        if waited >= _LINE_EVERY_S:
            waited = 0.0
            share = progress.bytes_read / progress.bytes_total if progress.bytes_total else 0.0
            sys.stderr.write(f"{share:.0%} {summary(progress)}; {rates(progress.sent):,.0f} records/s\n")


class _Rate:
    """Records a second since a while ago."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._seen: list[tuple[float, int]] = [(self._loop.time(), 0)]

    def __call__(self, count: int) -> float:
        now = self._loop.time()
        self._seen = [*self._seen[-50:], (now, count)]
        then, before = self._seen[0]
        return (count - before) / (now - then) if now > then else 0.0
