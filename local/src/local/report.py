"""What the command line shows, for people."""

from collections.abc import Collection, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local.status import Status
from local.up import describe

if TYPE_CHECKING:
    from local.deployer import Deployment

console = Console()
COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan")


def show_deployment(deployment: "Deployment") -> None:
    """Print one stack's resources."""
    table = Table(title=f"{deployment.stack}: {deployment.change}", title_justify="left", box=None, padding=(0, 2))
    table.add_column("resource", style="dim")
    table.add_column("name", overflow="fold")
    for kind, name in deployment.resources:
        table.add_row(kind.removeprefix("AWS::"), name)
    console.print(table)


def show_status(statuses: Sequence[Status]) -> None:
    """Print how each service is and where its pages are."""
    table = Table(box=None, padding=(0, 2))
    for column in ("service", "state", "process", "restarts", "pages"):
        table.add_column(column, overflow="ignore" if column == "pages" else "fold", no_wrap=column == "pages")
    for status in statuses:
        record = status.record
        table.add_row(
            status.service.name,
            Text(describe(status), style="green" if status.is_ready else "red"),
            str(record.pid) if record and not record.done else "",
            str(record.restarts) if record else "",
            pages(status),
        )
    console.print(table)


def pages(status: Status) -> str:
    """Return the addresses of a service's pages, one a line."""
    address = status.service.address
    if address is None:
        return ""
    paths = ("/docs", "/health", "/metrics") if status.service.has_pages else ("",)
    return "\n".join(address + path for path in paths)


def show_log_line(name: str, line: str, names: Collection[str]) -> None:
    """Print a line of a log with its service, coloured, in front."""
    colour = COLOURS[sorted(names).index(name) % len(COLOURS)] if name in names else "white"
    console.print(Text.assemble((f"{name:<10} ", colour), line), soft_wrap=True)


class StartUp:
    """The progress of `up`: a line for each service, live on a terminal, else a line when its state changes."""

    def __init__(self) -> None:
        """Show nothing yet."""
        columns = (SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description:<10}"))
        self._progress = Progress(*columns, TextColumn("{task.fields[state]}"), TimeElapsedColumn(), console=console)
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin to show."""
        if console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        if console.is_terminal:
            self._progress.stop()

    def __call__(self, statuses: Sequence[Status]) -> None:
        """Show the state of each service."""
        for status in statuses:
            name, state = status.service.name, describe(status)
            if console.is_terminal:
                self._update(name, state, is_ready=status.is_ready)
            elif self._states.get(name) != status.state:
                console.print(f"{name:<10} {state}")
            self._states[name] = status.state

    def _update(self, name: str, state: str, *, is_ready: bool) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=1, state=state)
        self._progress.update(self._tasks[name], state=state, completed=int(is_ready))
