"""Compares what was to be found with what was found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.demo.mailbox import Delivered
from local.demo.witness import Key, Testimony


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the demonstration ended; `passed` is its exit code."""

    events: int  # in the files and planted
    counted: int
    bad: int
    late: int
    windows: int  # counts, one a user and window
    wrong_counts: int  # that differ from the exact answer
    alerts: int
    found: tuple[str, ...]  # planted users who had to be reported, and were
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]  # users reported though they never passed the limit
    repeated: int  # messages beyond the first of an alert
    latencies: tuple[float, ...]  # seconds from the action over the limit to SNS, ascending

    @property
    def closes(self) -> bool:
        """Whether every event ended in exactly one place."""
        return self.events == self.counted + self.bad + self.late

    @property
    def passed(self) -> bool:
        """Whether the accounting closes, every count is right, and exactly the right users were reported."""
        wrong = self.wrong_counts or self.missed or self.false_alarms or self.repeated
        return self.closes and bool(self.found) and not wrong

    def latency(self, quantile: float) -> float:
        """Return the latency, in seconds, that this part of the alerts was faster than (nearest rank)."""
        if not self.latencies:
            return 0.0
        return self.latencies[min(len(self.latencies) - 1, int(quantile * len(self.latencies)))]


def judge(
    *,
    events: int,
    bad: int,
    late: int,
    counts: Mapping[Key, int],
    truth: Testimony,
    late_counts: Mapping[Key, int],
    delivered: Sequence[Delivered],
    wanted: Sequence[str],
    limit: int,
) -> Verdict:
    """Return the verdict.

    Args:
        events: how many went in.
        bad: of these, set aside by the producer or the windower for what they are.
        late: of these, too late for their window.
        counts: final counts in DynamoDB.
        truth: what the witness saw in stream 1, late records included.
        late_counts: the late ones among them, which no count may hold.
        delivered: the alerts that came out of SNS.
        wanted: the planted users who must be reported.
        limit: the most actions of one user in one window without an alert.
    """
    exact = {key: n - late_counts.get(key, 0) for key, n in truth.counts.items()}
    exact = {key: n for key, n in exact.items() if n}
    over = {user for (user, _), n in exact.items() if n > limit}
    reported = {each.alert.user_id for each in delivered}
    return Verdict(
        events=events,
        counted=sum(counts.values()),
        bad=bad,
        late=late,
        windows=len(counts),
        wrong_counts=sum(exact.get(key) != counts.get(key) for key in exact.keys() | counts.keys()),
        alerts=len(delivered),
        found=tuple(user for user in wanted if user in reported),
        missed=tuple(user for user in wanted if user not in reported),
        false_alarms=tuple(sorted(reported - over)),
        repeated=len(delivered) - len({each.alert.alert_id for each in delivered}),
        latencies=tuple(sorted(filter(None, (latency(each, truth) for each in delivered)))),
    )


def latency(delivered: Delivered, truth: Testimony) -> float | None:
    """Return the seconds from the arrival of the action over the limit to SNS, if the witness has seen that action."""
    crossed = truth.crossed_at.get((delivered.alert.user_id, delivered.alert.window_start))
    return None if crossed is None else max(delivered.delivered_at - crossed, 0.0)
