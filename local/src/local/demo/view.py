"""What the demonstration shows: a live picture while it runs, and a summary a newcomer understands."""

from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from local.demo.mailbox import Delivered
from local.demo.verdict import Verdict, latency
from local.demo.witness import Testimony

ALERTS_SHOWN = 8


def picture(
    bar: Progress, figures: Mapping[str, object], delivered: Sequence[Delivered], truth: Testimony
) -> RenderableType:
    """Return the live picture: the replay's progress, the chain's figures, the latest alerts."""
    boxes = [
        Panel(Text(f"{value:,}" if isinstance(value, int) else str(value), style="bold"), title=name, width=24)
        for name, value in figures.items()
    ]
    return Group(bar, Columns(boxes), alerts_table(delivered[-ALERTS_SHOWN:], truth))


def alerts_table(delivered: Sequence[Delivered], truth: Testimony) -> Table:
    """Return the alerts as a table: who, how much, and how soon it was told."""
    table = Table(title="alerts, as SNS delivered them", title_justify="left", min_width=78)
    for column in ("user", "window (event time)", "actions", "count", "after the 11th action"):
        table.add_column(column, justify="right" if column in ("actions", "after the 11th action") else "left")
    for each in delivered:
        alert, after = each.alert, latency(each, truth)
        table.add_row(
            Text(alert.user_id),
            f"{alert.window_start[:19]} UTC",
            str(alert.num_actions),
            alert.kind,
            "" if after is None else f"{after * 1000:,.0f} ms",
        )
    return table


def summary(verdict: Verdict, took: float) -> RenderableType:
    """Return the verdict in words; `took` in seconds."""
    out = verdict.counted + verdict.bad + verdict.late
    table = Table(show_header=False, box=None, padding=(0, 2))
    for sign, name, value in (
        ("", "events in", f"{verdict.events:,}"),
        (
            _sign(good=verdict.closes),
            "events out",
            f"{verdict.counted:,} counted + {verdict.bad:,} bad + {verdict.late:,} late = {out:,}",
        ),
        (
            _sign(good=not verdict.wrong_counts),
            "windows",
            f"{verdict.windows:,} counts (one user in 10 s), {verdict.wrong_counts} wrong",
        ),
        (_sign(good=bool(verdict.found)), "planted bots found", _names(verdict.found)),
        (_sign(good=not verdict.missed), "planted bots missed", _names(verdict.missed)),
        (_sign(good=not verdict.false_alarms), "false alarms", _names(verdict.false_alarms)),
        (_sign(good=not verdict.repeated), "alerts", f"{verdict.alerts} messages, {verdict.repeated} sent twice"),
        ("", "11th action to alert", f"p50 {_ms(verdict.latency(0.5))}, p99 {_ms(verdict.latency(0.99))}"),
        ("", "took", f"{took:,.0f} s"),
    ):
        table.add_row(Text(sign), Text(name, style="dim"), Text(value))
    ending, colour = ("every event is accounted for, every fast bot was found", "green")
    if not verdict.passed:
        ending, colour = ("something is wrong: see the lines with ✗", "red")
    body = Group(table, Text(), Text(ending, style=f"bold {colour}"))
    return Panel(body, title="Storepulse demo", border_style=colour)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _names(users: Sequence[str]) -> str:
    return f"{len(users)}: {', '.join(users)}" if users else "none"


def _sign(*, good: bool) -> str:
    return "✓" if good else "✗"
