"""The producer from a terminal."""

import asyncio
import signal
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from pydantic import ValidationError

from producer.app import command_world
from producer.app import serve as run_service
from producer.console import Report, show
from producer.errors import ReplayError
from producer.options import ReplayOptions
from producer.replay import Replay
from producer.settings import ProducerSettings
from producer.spans import parse_span
from servicekit.logs import configure_logs
from servicekit.settings import load

cli = typer.Typer(
    help="Replays recorded clickstreams into Kinesis.", add_completion=False, pretty_exceptions_enable=False
)


@cli.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def serve() -> None:
    """Run the service: replays are started, shown and stopped over HTTP (see /docs). The default."""
    settings = load(ProducerSettings)
    configure_logs("producer", settings.log_level)
    run_service(settings)


@cli.command()
def replay(  # noqa: PLR0917 - typer makes an option of each
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="s3://bucket/key, s3://bucket/prefix/, or a path")
    ],
    key: Annotated[
        str | None, typer.Option(help="The column that gives the partition key \\[default: category_id]")
    ] = None,
    pace: Annotated[
        timedelta | None,
        typer.Option(parser=parse_span, metavar="SPAN", help="One put every so long, such as 250ms; prints each"),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Rows a second")] = None,
    speed: Annotated[
        str | None, typer.Option(help="The file's gaps, so many times as fast, or max \\[default: 1]")
    ] = None,
    clock: Annotated[
        str | None, typer.Option(help="txn_timestamp: wall (now) or event (the file's times, shifted)")
    ] = None,
    anchor: Annotated[str | None, typer.Option(help="Event clock: its start or its end is at --base")] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="Event clock: an instant, taken as it is \\[default: now, or after all that is stamped]",
        ),
    ] = None,
    last: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="The files' last event_time; saves reading them twice")
    ] = None,
    window: Annotated[
        timedelta | None, typer.Option(parser=parse_span, metavar="SPAN", help="The windows' size \\[default: 10s]")
    ] = None,
    delay: Annotated[
        timedelta | None, typer.Option(parser=parse_span, metavar="SPAN", help="The watermark's delay \\[default: 10s]")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="For labels: the most actions without an alert \\[default: 10]")
    ] = None,
    inject: Annotated[str | None, typer.Option(metavar="FILE", help="A plan of bots to plant")] = None,
    labels: Annotated[str | None, typer.Option(metavar="FILE", help="Where to write what is true of them")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests in flight \\[default: 8]")] = None,
    allow_late: Annotated[  # noqa: FBT002 - typer's form
        bool, typer.Option("--allow-late", help="Play although rows, its own or another's, will be late")
    ] = False,
    drain: Annotated[bool, typer.Option(help="Go on with heartbeats until the last windows can close")] = True,  # noqa: FBT002 - typer's form
    resume: Annotated[bool, typer.Option(help="Go on where a killed replay of the same files stopped")] = False,  # noqa: FBT002 - typer's form
    state: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the state is kept")] = None,
) -> None:
    """Replay files into the stream, with a progress bar on stderr.

    Rows are stamped after all that the stream is stamped with, or the replay is refused and says from when it can run.
    Exit code 0: played; 1: refused, failed, or a file was incomplete; 2: wrong options; 3: played, but rows are late by
    what the stream had shown before (with --base or --allow-late); 130: stopped.
    """
    settings = load(ProducerSettings)
    configure_logs("producer", "WARNING" if settings.log_level == "INFO" else settings.log_level)
    given = {
        name: value for name, value in locals().items() if name in ReplayOptions.model_fields and value is not None
    }
    try:
        options = ReplayOptions(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"--{each['loc'][0] if each['loc'] else 'options'}: {each['msg']}" for each in error.errors()
        )
        typer.echo(f"producer: {problems}", err=True)
        raise typer.Exit(2) from None
    try:
        code = uvloop.run(_replay(settings, options, state, resume=resume))
    except ReplayError as error:  # before the replay began; later ones are in its report
        typer.echo(f"producer: {error}", err=True)
        code = 1
    raise typer.Exit(code)


async def _replay(settings: ProducerSettings, options: ReplayOptions, state: Path | None, *, resume: bool) -> int:
    identity = blake2b("\0".join([settings.stream, *options.sources]).encode(), digest_size=8).hexdigest()
    async with command_world(settings, state) as world:
        report = Report(options)
        playing = Replay(
            f"cli-{identity}", options, world, resume=resume, on_sent=report.sent if options.one_by_one else None
        )
        _stop_on_signals(playing)
        async with asyncio.TaskGroup() as group:
            shown = group.create_task(show(playing.progress))
            try:
                await playing.run()
            except ReplayError as error:
                report.failed = str(error)
            finally:
                playing.progress.over = True
            await shown
    return report.finish(playing.progress)


def _stop_on_signals(playing: Replay) -> None:
    """Let the first SIGINT or SIGTERM end the replay in order, and the second break it off."""

    def on_signal() -> None:
        end = playing.break_off if playing.stopping.is_set() else playing.stop
        end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
