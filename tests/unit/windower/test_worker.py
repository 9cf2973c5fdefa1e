"""What the worker does around the handler."""

import contextlib

import pytest

from servicekit.clock import ManualClock
from windower.metrics import WindowerMetrics
from windower.settings import WindowerSettings
from windower.worker import Worker, create_faust_app


async def test_after_a_delivery_that_was_broken_off_nothing_goes_on() -> None:
    settings = WindowerSettings(bad_events_queue="queue", bad_events_bucket="bucket")
    worker = Worker(
        create_faust_app(settings),
        make_handler=lambda _: pytest.fail("unused"),
        settings=settings,
        metrics=WindowerMetrics(),
        clock=ManualClock(),
    )
    seen = []
    for breaks in (False, True, False, False):
        with contextlib.suppress(ConnectionError):
            async with worker._delivery() as sound:
                seen.append(sound)
                if breaks:
                    raise ConnectionError
    assert seen == [True, True, False, False]
