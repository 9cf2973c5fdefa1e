"""How long a sink keeps trying, and what it says meanwhile."""

from datetime import timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from dead_letters.errors import GivenUpError
from dead_letters.patience import Patience
from servicekit.clock import ManualClock


class Outage:
    """Lasts for some time of a clock that only waiting moves."""

    def __init__(self, lasts: timedelta) -> None:
        self.clock = ManualClock()
        self.ends = self.clock.now() + lasts

    async def call(self) -> str:
        if self.clock.now() < self.ends:
            raise ConnectionRefusedError
        return "answer"

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def patience(self) -> Patience:
        return Patience(sleep=self.wait, clock=self.clock)


async def test_what_passes_within_minutes_is_no_error() -> None:
    outage = Outage(timedelta(seconds=110))
    with capture_logs() as logs:
        assert await outage.patience().insist(outage.call, "sending") == "answer"
    assert {line["log_level"] for line in logs} == {"warning"}


async def test_what_lasts_for_minutes_is_an_error_twice_a_minute_until_it_ends() -> None:
    outage = Outage(timedelta(minutes=10))
    with capture_logs() as logs:
        await outage.patience().insist(outage.call, "sending")
    errors = [line for line in logs if line["log_level"] == "error"]
    assert 14 <= len(errors) <= 17
    assert {line["doing"] for line in errors} == {"sending"}
    assert all(earlier["tries"] < later["tries"] for earlier, later in pairwise(errors))


async def test_a_service_that_stops_waits_for_nothing() -> None:
    outage = Outage(timedelta(minutes=10))
    with pytest.raises(GivenUpError):
        await Patience(sleep=outage.wait, clock=outage.clock, stopping=lambda: True).insist(outage.call, "sending")
    assert outage.clock.monotonic() == 0
