import asyncio
from datetime import timedelta

import pytest

from servicekit.clock import ManualClock
from servicekit.health import Health

SECOND = timedelta(seconds=1)


class Dependency:
    """Something that a service needs, as it is at the moment."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(10 * SECOND, clock, check_timeout=SECOND / 20)


def test_a_service_is_live_from_its_start_for_as_long_as_one_beat_lasts(health: Health, clock: ManualClock) -> None:
    clock.advance(10 * SECOND)
    assert health.is_live()
    clock.advance(SECOND)
    assert not health.is_live()


def test_a_beat_brings_a_dead_service_back(health: Health, clock: ManualClock) -> None:
    clock.advance(11 * SECOND)
    health.beat()
    assert health.is_live()


async def test_without_dependencies_a_live_service_is_ready(health: Health) -> None:
    assert (await health.report()).ready


async def test_a_dead_service_is_not_ready(health: Health, clock: ManualClock) -> None:
    clock.advance(11 * SECOND)
    assert not (await health.report()).ready


async def test_each_dependency_is_named_with_ok_or_its_reason(health: Health) -> None:
    broken = Dependency()
    broken.failure = ConnectionError("refused")
    health.add_check("queue", Dependency().check)
    health.add_check("table", broken.check)
    report = await health.report()
    assert report.checks == {"queue": "ok", "table": "ConnectionError: refused"}
    assert not report.ready
    assert report.live


async def test_readiness_recovers_by_itself(health: Health, clock: ManualClock) -> None:
    table = Dependency()
    health.add_check("table", table.check)
    seen = []
    for failure in (None, OSError("gone"), None):
        table.failure = failure
        clock.advance(SECOND)
        seen.append((await health.report()).ready)
    assert seen == [True, False, True]


async def test_a_hanging_check_makes_its_dependency_unready_and_holds_up_nothing(health: Health) -> None:
    health.add_check("hangs", asyncio.Event().wait)
    health.add_check("answers", Dependency().check)
    async with asyncio.timeout(5):
        report = await health.report()
    assert report.checks == {"hangs": "no answer in 0.05 s", "answers": "ok"}


async def test_checks_run_at_the_same_time(health: Health) -> None:
    both = asyncio.Barrier(2)
    health.add_check("one", both.wait)
    health.add_check("two", both.wait)
    assert (await health.report()).ready


async def test_a_check_that_ignores_its_cancellation_is_not_started_again_until_it_ends(
    health: Health, clock: ManualClock
) -> None:
    started: list[asyncio.Event] = []

    async def stubborn() -> None:
        started.append(asyncio.Event())
        while not started[-1].is_set():
            try:
                await started[-1].wait()
            except asyncio.CancelledError:
                continue

    health.add_check("stubborn", stubborn)
    for _ in range(3):
        assert not (await health.report()).ready
        clock.advance(SECOND)
    assert len(started) == 1
    started[0].set()
    await health.report()
    assert len(started) == 2
    started[1].set()
    clock.advance(SECOND)


async def test_a_scraper_cannot_hammer_a_dependency(health: Health, clock: ManualClock) -> None:
    table = Dependency()
    health.add_check("table", table.check)
    await asyncio.gather(*(health.report() for _ in range(20)))
    assert table.asked == 1
    clock.advance(SECOND)
    await health.report()
    assert table.asked == 2


async def test_a_caller_that_gives_up_harms_no_other(health: Health) -> None:
    table = Dependency()
    health.add_check("hangs", asyncio.Event().wait)
    health.add_check("table", table.check)
    impatient = asyncio.ensure_future(health.report())
    patient = asyncio.ensure_future(health.report())
    await asyncio.wait({impatient}, timeout=0)
    impatient.cancel()
    assert (await patient).checks["table"] == "ok"


def test_two_checks_never_share_a_name(health: Health) -> None:
    health.add_check("table", Dependency().check)
    with pytest.raises(ValueError, match="table"):
        health.add_check("table", Dependency().check)
