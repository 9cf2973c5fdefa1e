"""What people, queues and CloudWatch get to see."""

from hypothesis import given
from hypothesis import strategies as st

from detector.adapters.cloudwatch_metrics import data, merged
from detector.adapters.sns_alerts import subject
from detector.ports import BatchFigures
from tests.unit.detector.builders import alert

FIGURES = st.lists(st.integers(1, 1000), max_size=5).map(
    lambda actions: BatchFigures(
        windows=len(actions),
        actions_min=min(actions, default=0),
        actions_max=max(actions, default=0),
        actions_sum=sum(actions),
        alerts=len(actions),
    )
)


def test_the_subject_names_user_count_limit_and_time() -> None:
    assert subject(alert("512", 30)) == "Storepulse: user 512: 30 actions, limit 10, 2026-09-21 14:13:20 UTC"


@given(user=st.text(min_size=1, max_size=256), actions=st.integers(11, 10**18))
def test_no_user_id_breaks_the_subject(user: str, actions: int) -> None:
    text = subject(alert(user, actions))
    assert text.isascii()
    assert text.isprintable()
    assert 0 < len(text) <= 100
    assert text.startswith("Storepulse: user ")


@given(first=FIGURES, second=FIGURES)
def test_merged_figures_are_those_of_both_batches_together(first: BatchFigures, second: BatchFigures) -> None:
    both = merged(first, second)
    assert both == merged(second, first)
    assert (both.windows, both.actions_sum) == (
        first.windows + second.windows,
        first.actions_sum + second.actions_sum,
    )
    minima = [each.actions_min for each in (first, second) if each.windows]
    assert both.actions_min == min(minima, default=0)


def test_a_batch_without_windows_says_nothing_of_actions() -> None:
    nothing = BatchFigures(windows=0, actions_min=0, actions_max=0, actions_sum=0, alerts=0)
    assert [datum["MetricName"] for datum in data(nothing)] == ["WindowsProcessed", "AlertsRaised"]
