"""What every sink of window counts keeps: all of it, whole, in whatever number it comes."""

from collections import Counter

import pytest

from storepulse.activity.counts import WindowCount
from tests.builders import START, window_count
from tests.contract.windower.conftest import Counts

pytestmark = pytest.mark.emulator


async def test_nothing_put_is_nothing_taken(counts: Counts) -> None:
    await counts.sink.put([])
    assert counts.taken() == []


async def test_more_counts_than_one_call_takes_all_arrive_as_they_are(counts: Counts) -> None:
    given = [window_count(user_id=f"käufer-{n}", num_actions=n + 1) for n in range(1201)]
    await counts.sink.put(given)
    assert set(counts.taken()) == set(given)


async def test_one_users_counts_keep_their_order(counts: Counts) -> None:
    given = [window_count(start=START + n * 10_000) for n in range(40)]
    await counts.sink.put(given)
    assert counts.taken() == given


async def test_counts_put_again_are_the_same_counts_again(counts: Counts) -> None:
    early: WindowCount = window_count(kind="early")
    await counts.sink.put([early])
    await counts.sink.put([early])
    assert Counter(counts.taken()) == {early: 2}
