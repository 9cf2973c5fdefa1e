"""The command line of the local account; a command that talks to AWS imports what takes a second when it runs."""

import json
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from local import down as stopping
from local import emulator as emulator_server
from local import java as runtime
from local import logs as following
from local import report, services, settings, signals
from local import up as starting
from local.errors import LocalError
from local.firehose.buffer import MEBIBYTE, Limits
from local.journal import Journal
from local.status import status_of
from local.supervisor import Supervisor

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The AWS account on this machine.",
)

Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the emulator; default LOCAL_EMULATOR_PORT or 4566.")
]

Only = Annotated[list[str] | None, typer.Option(help="Just this service; may be repeated.")]


def address(port: int | None) -> str:
    """Return where the emulator is: at `port`, or as the settings say."""
    chosen = settings.load()
    return settings.endpoint_url(port or chosen.emulator_port, chosen.emulator_host)


@app.callback()
def root() -> None:
    """The AWS account on this machine: an emulator, its resources and the services that run against it."""


@app.command()
def emulator(
    port: Port = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where the emulator keeps its files.")] = None,
    persist: Annotated[bool | None, typer.Option(help="Keep all state across a clean stop.")] = None,
) -> None:
    """Run the emulated AWS in the foreground until Ctrl-C or SIGTERM."""
    chosen = settings.load()
    emulator_server.serve(
        host=chosen.bind_host,
        port=port or chosen.emulator_port,
        state_dir=state_dir or chosen.run_dir / "emulator",
        persist=chosen.persist if persist is None else persist,
        ready=lambda url: print(f"emulator ready at {url}", flush=True),  # noqa: T201 - what the command is for
    )


@app.command()
def deploy(
    port: Port = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the outputs, as one JSON object.")] = False,
) -> None:
    """Make the streams, tables, buckets, topic and queue in the emulator; again is fine."""
    from local import deployer  # noqa: PLC0415 - imports boto3

    deployments = deployer.deploy_all(address(port))
    if as_json:
        outputs = {name: value for made in deployments for name, value in made.outputs.items()}
        print(json.dumps(outputs, indent=1))  # noqa: T201 - what the option is for
    else:
        for made in deployments:
            report.show_deployment(made)


@app.command()
def firehose(
    port: Port = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Write an object at this age.")] = 60,
    mebibytes: Annotated[float, typer.Option(min=0.001, help="Write an object at this size.")] = 5,
    poll: Annotated[float, typer.Option(min=0.2, help="Seconds between reads of a shard.")] = 1,
) -> None:
    """Archive stream 1 to S3 as Firehose does, until Ctrl-C or SIGTERM, which write what is buffered."""
    from local import deployer  # noqa: PLC0415 - imports boto3
    from local.firehose.delivery import Delivery, Route  # noqa: PLC0415 - imports boto3

    stop = signals.stop_event()
    url = address(port)
    limits = Limits(size=int(mebibytes * MEBIBYTE), age=timedelta(seconds=seconds))
    route = Route.of_outputs(deployer.deployed_outputs(url), poll=poll)
    Delivery(route, limits, url, Journal("firehose")).run(stop)


@app.command(hidden=True)
def pipe(port: Port = None) -> None:
    """Carry the Flink job's bad events to the queue, until Ctrl-C or SIGTERM."""
    from local import deployer, flink  # noqa: PLC0415 - imports boto3
    from local.pipe import Pipe  # noqa: PLC0415 - imports boto3

    stop, url = signals.stop_event(), address(port)
    queue = deployer.deployed_outputs(url)["BadEventsQueueUrl"]
    Pipe(flink.BAD_EVENTS_STREAM, queue, url, Journal("pipe")).run(stop)


@app.command(name="flink", hidden=True)
def flink_job(port: Port = None) -> None:
    """Become the Flink job that counts the windows of the account."""
    from local import aws, flink, flink_state  # noqa: PLC0415 - imports boto3

    flink.require()
    folder, url = settings.load().run_dir, address(port)
    life = flink_state.life_of(aws.kinesis(url), flink.STREAMS["stream_1"])
    kept = flink_state.checkpoints(folder / "flink", life)
    settings.become(flink.command(flink.write_properties(folder / "flink.json", url, kept)), flink.ENVIRONMENT)


@app.command()
def up(only: Only = None) -> None:
    """Start everything, wait until it is ready, show the addresses and leave it running."""
    with report.StartUp() as progress:
        statuses = starting.up(settings.load(), only or (), progress)
    report.show_status(statuses)


@app.command()
def down() -> None:
    """Stop everything that `up` started; nothing running is fine."""
    ran = stopping.down(settings.load().run_dir)
    report.console.print("stopped" if ran else "nothing was running")


@app.command()
def status() -> None:
    """Show how each service is; exit code 1 when one is not ready."""
    chosen = settings.load()
    statuses = status_of(services.table(chosen, {}), chosen.run_dir)
    report.show_status(statuses)
    if not all(each.is_ready for each in statuses):
        raise typer.Exit(1)


@app.command()
def logs(
    only: Annotated[list[str] | None, typer.Argument(help="Services; all when none is named.")] = None,
    lines: Annotated[int, typer.Option(min=0, help="Lines of each log to begin with.")] = 20,
    *,
    follow: Annotated[bool, typer.Option(help="Go on showing new lines until Ctrl-C.")] = True,
) -> None:
    """Show the logs of the services, each line with its service in front."""
    chosen = settings.load()
    names = ("supervisor", *(service.name for service in services.table(chosen, {})))
    starting.require_known(only or (), names)
    with suppress(KeyboardInterrupt):
        following.follow(
            chosen.run_dir,
            only or (),
            lambda name, line: report.show_log_line(name, line, names),
            lines=lines,
            wait=following.wait_for_more if follow else following.stop_at_end,
        )


@app.command()
def java() -> None:
    """Print the home of the Java runtime that the detector will use."""
    home = runtime.find(settings.load().java_home, settings.search_path()).home
    print(home)  # noqa: T201 - what the command is for


@app.command()
def demo(
    speed: Annotated[float, typer.Option(min=1, max=1000, help="How many times as fast as it happened.")] = 150,
    picture: Annotated[Path | None, typer.Option(help="Write the end of it into this file, as SVG.")] = None,
) -> None:
    """Run everything on real data with planted bots, watch it live, check every event; 0 when all is right."""
    from local.demo import run as demonstration  # noqa: PLC0415 - imports boto3

    raise typer.Exit(demonstration.run(report.console, speed=speed, picture_file=picture))


@app.command(name="compose-demo")
def compose_demo(
    speed: Annotated[float, typer.Option(min=1, max=1000, help="How many times as fast as it happened.")] = 150,
) -> None:
    """The demonstration on containers: docker compose up, a replay, the same verdict, nothing left; needs Docker."""
    from local.demo import run as demonstration  # noqa: PLC0415 - imports boto3
    from local.demo.containers import running_containers  # noqa: PLC0415 - imports boto3

    raise typer.Exit(demonstration.run(report.console, speed=speed, platform=running_containers))


@app.command(hidden=True)
def supervise(only: Only = None) -> None:
    """Keep the services running until SIGTERM; `up` starts this."""
    stop = signals.stop_event()
    chosen = settings.load()
    Supervisor(starting.chosen_services(chosen, only or ()), chosen.run_dir, Journal("supervisor")).run(stop)


def main() -> None:
    """Run the command line; an error the user can put right is one line on stderr and exit code 1."""
    signals.end_in_order()
    settings.keep_to_this_machine()
    try:
        app()
    except LocalError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that cannot be written: the system's own words say it
        typer.secho(f"This machine did not let it happen: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
