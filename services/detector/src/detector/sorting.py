"""A batch of records, decoded and sorted by what is to be done with them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from detector.records import Record
from storepulse.activity.counts import WindowCount, decode_count
from storepulse.detection.alerts import Alert
from storepulse.detection.rules import RateRule
from storepulse.failures import BadPayload


@dataclass(frozen=True, slots=True)
class ReadCount:
    """A count and the record it was read from."""

    count: WindowCount
    record: Record


@dataclass(frozen=True, slots=True)
class ReadAlert:
    """An alert and the record that raised it."""

    alert: Alert
    record: Record


class SortedBatch:
    """Each count's key and each alert's id once, whatever the order and however often they came."""

    def __init__(self, records: Iterable[Record], rule: RateRule) -> None:
        """Decode `records` and apply `rule`; never raises, whatever their bytes."""
        self.kinds: Counter[str] = Counter()
        self.bad: list[tuple[BadPayload, Record]] = []
        self._finals: dict[tuple[str, str], ReadCount] = {}
        self._earlies: dict[tuple[str, str], ReadCount] = {}
        self._alerts: dict[str, dict[str, ReadAlert]] = {}
        for record in records:
            match decode_count(record.data):
                case WindowCount() as count:
                    self._accept(count, record, rule)
                case BadPayload() as problem:
                    self.bad.append((problem, record))

    def _accept(self, count: WindowCount, record: Record, rule: RateRule) -> None:
        self.kinds[count.kind] += 1
        known = self._finals if count.kind == "final" else self._earlies
        known[count.user_id, count.window_end] = ReadCount(count, record)
        if alert := rule.evaluate(count):
            alerts = self._alerts.setdefault(alert.user_id, {})
            if alert.alert_id not in alerts or _rank(alert) >= _rank(alerts[alert.alert_id].alert):
                alerts[alert.alert_id] = ReadAlert(alert, record)

    @property
    def finals(self) -> list[ReadCount]:
        """The last final count of each user and window."""
        return list(self._finals.values())

    @property
    def earlies(self) -> list[ReadCount]:
        """The last early count of each user and window without a final one here."""
        return [read for key, read in self._earlies.items() if key not in self._finals]

    @property
    def alerts(self) -> list[list[ReadAlert]]:
        """Each user's alerts in the order they came; users with an early one first."""
        return sorted(
            (list(alerts.values()) for alerts in self._alerts.values()),
            key=lambda alerts: all(read.alert.kind == "final" for read in alerts),
        )


def _rank(alert: Alert) -> tuple[bool, int]:
    return alert.kind == "final", alert.num_actions
