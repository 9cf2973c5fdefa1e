"""From an empty machine to the verdict."""

import io
import re
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from local import aws, deployer, report, services
from local import down as stopping
from local import up as starting
from local.demo.ledger import Ledger
from local.demo.mailbox import Delivered, Mailbox
from local.demo.replay import Playing, Replay
from local.demo.stage import Staged, read_labels, stage
from local.demo.verdict import Verdict, judge, latency
from local.demo.view import alerts_table, picture, summary
from local.demo.witness import Key, Witness
from local.errors import LocalError
from local.settings import LocalSettings, load
from storepulse.activity.actions import decode_actions
from storepulse.detection.rules import DEFAULT_LIMIT
from storepulse.instants import format_instant
from storepulse.streaming.windows import window_of

SVG_WITHOUT_FONTS: Final = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""rich's own, which would have each reader's browser fetch a font from elsewhere."""
SOURCE_STREAM: Final = "ecommerce-raw-user-activity-stream-1"
WINDOW_MS: Final = 10_000
SETTLE_WITHIN: Final = 60.0  # seconds after the replay by which everything must be accounted for
LOOK_EVERY: Final = 0.25
READ_LEDGER_EVERY: Final = 2.0  # a scan of the whole table


Platform = Callable[[Console], AbstractContextManager[LocalSettings]]
"""Starts a platform and yields where it listens; nothing of it runs afterwards."""


def run(console: Console, *, speed: float, picture_file: Path | None = None, platform: Platform | None = None) -> int:
    """Run the demonstration, write its end to `picture_file` as SVG, and return 0 when the verdict is good.

    Args:
        console: shows it.
        speed: how many times as fast as it happened.
        picture_file: where its end goes, as SVG.
        platform: what it runs on; the processes of `make up` by default.
    """
    began = time.monotonic()
    with (platform or running_platform)(console) as chosen:
        try:
            demo = Demo(console, chosen)
            verdict = demo.play(speed)
        except (BotoCoreError, ClientError) as error:
            message = f"The emulator at {chosen.endpoint_url} did not do its part: {error}"
            raise LocalError(message) from error
    ending = summary(verdict, time.monotonic() - began)
    console.print(ending)
    if picture_file is not None:
        paper = Console(record=True, width=100, file=io.StringIO())
        paper.print(demo.alerts(), ending)
        paper.save_svg(str(picture_file), title="make demo", code_format=SVG_WITHOUT_FONTS)
    return 0 if verdict.passed else 1


@contextmanager
def running_platform(console: Console) -> Iterator[LocalSettings]:
    """Yield the settings of a platform on free ports, all of it ready; nothing of it runs afterwards."""
    with tempfile.TemporaryDirectory(prefix="storepulse-demo-") as folder:
        chosen = on_free_ports(Path(folder))
        try:
            with report.StartUp() as progress:
                starting.up(chosen, (), progress)
            yield chosen
        finally:
            with suppress(OSError):  # the terminal may be closed
                console.print("stopping the platform", style="dim")
            stopping.down(chosen.run_dir)


def on_free_ports(run_dir: Path) -> LocalSettings:
    """Return settings of a platform that is in nobody's way."""
    emulator, producer, windower, detector = free_ports(4)
    return load(
        emulator_port=emulator,
        producer_port=producer,
        windower_port=windower,
        detector_port=detector,
        run_dir=run_dir,
    )


def free_ports(n: int) -> list[int]:
    """Return `n` different TCP ports that nothing listens on now."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [probe.getsockname()[1] for probe in sockets]


class Demo:
    """The replay, watched from all sides."""

    def __init__(self, console: Console, chosen: LocalSettings) -> None:
        """Take up every observer's place."""
        url = chosen.endpoint_url
        outputs = deployer.deployed_outputs(url)
        self._console = console
        self._s3 = aws.s3(url)
        self._ledger_read_at = 0.0
        self._replay = Replay(f"http://127.0.0.1:{chosen.producer_port}")
        self._witness = Witness(aws.kinesis(url), SOURCE_STREAM, window_ms=WINDOW_MS, limit=DEFAULT_LIMIT)
        self._mailbox = Mailbox(aws.sns(url), aws.sqs(url), outputs["AlertsTopicArn"])
        self._ledger = Ledger(
            aws.dynamodb(url),
            aws.sqs(url),
            counts_table=outputs["UserActionsTableName"],
            bad_events_url=outputs["BadEventsQueueUrl"],
        )

    def play(self, speed: float) -> Verdict:
        """Play the files at `speed` times their own and return the verdict."""
        staged = stage(self._s3, services.RAW_BUCKET)
        self._replay.start(staged, speed=speed)
        self._witness.start()
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(40),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
        )
        task = bar.add_task("replaying real events with planted bots", total=None)
        with Live(console=self._console, refresh_per_second=4, transient=True) as live:

            def show(playing: Playing) -> None:
                bar.update(task, total=playing.bytes_total or None, completed=playing.bytes_read)
                live.update(picture(bar, self._figures(playing), self._mailbox.delivered, self._witness.testimony))

            playing = self._until(lambda playing: playing.is_over, show)
            bar.update(task, description="waiting until every event is accounted for")
            deadline = time.monotonic() + SETTLE_WITHIN
            self._until(lambda playing: self._settled(playing) or time.monotonic() > deadline, show)
        self._witness.stop()
        return self._judge(playing, staged)

    def _until(self, over: Callable[[Playing], bool], show: Callable[[Playing], None]) -> Playing:
        while True:
            playing = self._replay.look()
            if playing.error:
                message = f"The replay failed: {playing.error}"
                raise LocalError(message)
            self._tell(self._mailbox.look())
            if time.monotonic() - self._ledger_read_at >= READ_LEDGER_EVERY:
                self._ledger.read()
                self._ledger_read_at = time.monotonic()
            show(playing)
            if over(playing):
                return playing
            time.sleep(LOOK_EVERY)

    def _tell(self, new: Sequence[Delivered]) -> None:
        """Print each new alert where no live picture shows it."""
        if not self._console.is_terminal:
            for each in new:
                after = latency(each, self._witness.testimony)
                told = "" if after is None else f", {after * 1000:,.0f} ms after the action over the limit"
                self._console.print(f"alert: {each.alert.user_id}, {each.alert.num_actions} actions{told}")

    def alerts(self) -> RenderableType:
        """Return the alerts so far as a table."""
        return alerts_table(self._mailbox.delivered, self._witness.testimony)

    def _figures(self, playing: Playing) -> dict[str, object]:
        latest = self._witness.testimony.latest_ms
        return {
            "events replayed": playing.rows,
            "event time": format_instant(latest)[11:19] if latest else "",
            "counted in windows": self._ledger.counted,
            "windows closed": len({start for _, start in self._ledger.counts}),
            "bad and late": len(self._ledger.bad),
            "alerts": len(self._mailbox.delivered),
        }

    def _settled(self, playing: Playing) -> bool:
        ledger = self._ledger
        return ledger.counted + len(ledger.bad) >= playing.rows and self._witness.testimony.records >= playing.sent

    def _late_counts(self) -> Counter[Key]:
        raw = [event.raw() for event in self._ledger.bad.values() if event.kind == "late"]
        actions = decode_actions(raw)
        return Counter(
            (user or "", format_instant(window_of(time, WINDOW_MS).start))
            for user, time in zip(actions.users, actions.times, strict=True)
        )

    def _judge(self, playing: Playing, staged: Staged) -> Verdict:
        labels = read_labels(self._s3, staged.labels)
        return judge(
            events=playing.rows,
            bad=self._ledger.malformed,
            late=self._ledger.late,
            counts=self._ledger.counts,
            truth=self._witness.testimony,
            late_counts=self._late_counts(),
            delivered=self._mailbox.delivered,
            wanted=[user for user, should_alert in labels.items() if should_alert],
            limit=DEFAULT_LIMIT,
        )
