"""How current the counts are, said in processing time."""

from hypothesis import given
from hypothesis import strategies as st

from windower.freshness import Freshness

IDLE_AFTER = 60_000
NOW = 10**12


def fresh() -> Freshness[int]:
    return Freshness(IDLE_AFTER)


def test_a_watermark_that_stands_still_while_records_come_grows_old_until_it_moves() -> None:
    freshness = fresh()
    freshness.watermark(5, NOW)
    for n in range(40):
        freshness.took(n, NOW + n * 10_000)
    assert freshness.watermark_age(NOW + 400_000) == 400_000
    freshness.watermark(5, NOW + 400_000)
    assert freshness.watermark_age(NOW + 400_000) == 400_000
    freshness.watermark(6, NOW + 400_000)
    assert freshness.watermark_age(NOW + 401_000) == 1_000


def test_a_watermark_is_not_old_when_nothing_comes_nor_when_records_come_again_after_a_night() -> None:
    freshness, morning = fresh(), NOW + 8 * 3_600_000
    freshness.took(1, NOW)
    freshness.watermark(5, NOW)
    assert freshness.watermark_age(morning) == 0
    freshness.took(2, morning)
    assert freshness.watermark_age(morning + 1_000) == 1_000


def test_a_windower_that_has_taken_nothing_is_up_to_date() -> None:
    assert fresh().watermark_age(NOW) == fresh().oldest_unacknowledged(NOW) == 0


@given(st.lists(st.tuples(st.integers(0, 1_000), st.booleans()), max_size=30), st.integers(0, 1_000))
def test_the_oldest_unacknowledged_batch_is_the_first_taken_of_those_not_acknowledged(
    batches: list[tuple[int, bool]], later: int
) -> None:
    freshness, now, waiting = fresh(), NOW, []
    for token, (pause, done) in enumerate(batches):
        now += pause
        freshness.took(token, now)
        if done:
            freshness.acknowledged([token, 10**6])
        else:
            waiting.append(now)
    now += later
    assert freshness.oldest_unacknowledged(now) == now - min(waiting, default=now)
