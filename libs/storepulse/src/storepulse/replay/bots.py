"""Planted bots: described as data, played among the real rows, each with a label that says what must be found.

Times are seconds after the file's first event. Event times have whole seconds, as the source's have. A replay's clock
shifts by whole windows, so a bot that straddles a window's boundary in the file does so in the stream.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from storepulse.activity.events import EventType
from storepulse.instants import format_instant
from storepulse.replay.event_times import format_event_time
from storepulse.streaming.windows import window_of

SECOND: Final = 1000
MAX_ACTIONS: Final = 1_000_000
BotId = Annotated[str, Meta(pattern=r"^bot-", max_length=256)]  # real users have numbers
Count = Annotated[int, Meta(ge=1, le=MAX_ACTIONS)]
Seconds = Annotated[int, Meta(ge=0, le=100 * 365 * 86_400)]
Span = Annotated[int, Meta(ge=1, le=100 * 365 * 86_400)]


class _Bot(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What every bot has: who it is and what it looks at."""

    user_id: BotId
    event_type: EventType = "view"
    product_id: str = "1004856"
    category_id: str = "2053013555631882655"
    category_code: str = "electronics.smartphone"
    brand: str = "samsung"
    price: str = "130.76"


class Burst(_Bot, frozen=True, tag="burst"):
    """So many actions within a few seconds, once."""

    at: Seconds
    actions: Count
    within: Span = 5

    def offsets(self, first: int, window: int) -> Iterator[int]:  # noqa: ARG002 - the union's form
        """Yield when it acts, in milliseconds after `first`."""
        return ((self.at + n * self.within // self.actions) * SECOND for n in range(self.actions))


class Sustained(_Bot, frozen=True, tag="sustained"):
    """So many actions every second, for a while."""

    at: Seconds
    per_second: Count
    lasting: Span

    def offsets(self, first: int, window: int) -> Iterator[int]:  # noqa: ARG002 - the union's form
        """Yield when it acts, in milliseconds after `first`."""
        return ((self.at + second) * SECOND for second in range(self.lasting) for _ in range(self.per_second))


class Straddle(_Bot, frozen=True, tag="straddle"):
    """So many actions just before a window's boundary and as many just after, neither too many for its window."""

    after: Seconds
    each_side: Count = 10

    def offsets(self, first: int, window: int) -> Iterator[int]:
        """Yield when it acts, in ms after `first`; the boundary is the first one at `after` + 1 s or later."""
        boundary = -(-(first + (self.after + 1) * SECOND) // window) * window - first
        yield from [boundary - SECOND] * self.each_side
        yield from [boundary] * self.each_side


class LowAndSlow(_Bot, frozen=True, tag="low_and_slow"):
    """One action every few seconds, for long."""

    at: Seconds
    every: Span
    actions: Count

    def offsets(self, first: int, window: int) -> Iterator[int]:  # noqa: ARG002 - the union's form
        """Yield when it acts, in milliseconds after `first`."""
        return ((self.at + n * self.every) * SECOND for n in range(self.actions))


Bot = Burst | Sustained | Straddle | LowAndSlow


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bots of one replay."""

    bots: list[Bot]


class PlantedAction(msgspec.Struct, frozen=True):
    """One action of a bot: when, and its row, in the order of `rows.COLUMNS`."""

    event_time: int
    values: list[str]


class WindowLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A window that a bot fills over the limit."""

    window_start: str
    num_actions: int


class BotLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a planted user, for a detector to be judged by."""

    user_id: str
    kind: str
    actions: int
    windows: list[WindowLabel]  # those over the limit
    should_alert: bool


class PlanError(ValueError):
    """A plan of bots that cannot be played; the message says why."""


_decode: Final = msgspec.json.Decoder(Plan).decode


def decode_plan(text: bytes) -> Plan:
    """Return the plan in a JSON text.

    Raises:
        PlanError: it is none, two bots have one user, or there are more than `MAX_ACTIONS` actions.
    """
    try:
        plan = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"not a plan of bots: {error}"
        raise PlanError(msg) from error
    users = Counter(bot.user_id for bot in plan.bots)
    if twice := sorted(user for user, times in users.items() if times > 1):
        msg = f"two bots are called {twice[0]}"
        raise PlanError(msg)
    if sum(map(_size, plan.bots)) > MAX_ACTIONS:
        msg = f"more than {MAX_ACTIONS:,} actions"
        raise PlanError(msg)
    return plan


def _size(bot: Bot) -> int:
    match bot:
        case Burst() | LowAndSlow():
            return bot.actions
        case Sustained():
            return bot.per_second * bot.lasting
        case Straddle():
            return 2 * bot.each_side


def plant(plan: Plan, *, first: int, window: int) -> list[PlantedAction]:
    """Return all actions of the plan's bots in time order; those of one time keep the plan's order.

    Args:
        plan: the bots.
        first: the file's first event time, in milliseconds since the epoch.
        window: the window's size in milliseconds.
    """
    actions = [_act(bot, first + offset) for bot in plan.bots for offset in bot.offsets(first, window)]
    return sorted(actions, key=lambda action: action.event_time)


def _act(bot: Bot, time: int) -> PlantedAction:
    row = (format_event_time(time), bot.event_type, bot.product_id, bot.category_id, bot.category_code, bot.brand)
    return PlantedAction(time // SECOND * SECOND, [*row, bot.price, bot.user_id, f"session-{bot.user_id}"])


def label(plan: Plan, *, first: int, shift: int, window: int, limit: int) -> list[BotLabel]:
    """Return what is true of each bot in a replay whose clock moves event times by `shift` milliseconds.

    Args:
        plan: the bots.
        first: the file's first event time, in milliseconds since the epoch.
        shift: whole windows, in milliseconds.
        window: the window's size in milliseconds.
        limit: the most actions in a window that raise no alert.
    """
    return [_label(bot, list(bot.offsets(first, window)), first + shift, window, limit) for bot in plan.bots]


def _label(bot: Bot, offsets: Sequence[int], start: int, window: int, limit: int) -> BotLabel:
    counts = Counter(window_of((start + offset) // SECOND * SECOND, window).start for offset in offsets)
    over = [
        WindowLabel(window_start=format_instant(begin), num_actions=count)
        for begin, count in sorted(counts.items())
        if count > limit
    ]
    return BotLabel(
        user_id=bot.user_id,
        kind=str(bot.__struct_config__.tag),
        actions=len(offsets),
        windows=over,
        should_alert=bool(over),
    )
