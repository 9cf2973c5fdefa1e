import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from servicekit.clock import ManualClock
from servicekit.metrics import ChildMetrics, ServiceMetrics

CHILD = """
import sys
from datetime import datetime, timedelta
from servicekit.clock import ManualClock
from servicekit.metrics import ServiceMetrics
clock = ManualClock()
metrics = ServiceMetrics("shop", clock=clock)
clock.advance(timedelta(seconds=int(sys.argv[1])))
metrics.checkpointed()
metrics.records("stored", 5)
metrics.millis_behind("shard", int(sys.argv[2]))
metrics.record_age(1.5)
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics(clock: ManualClock) -> ServiceMetrics:
    return ServiceMetrics("shop", clock=clock)


def run_child(directory: Path, *, checkpoint_at: int, behind: int) -> int:
    command = [sys.executable, "-c", CHILD, str(checkpoint_at), str(behind)]
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)}
    with subprocess.Popen(command, env=environment) as child:  # noqa: S603 - our own program
        assert child.wait(timeout=20) == 0
        return child.pid


def test_records_are_counted_by_outcome(metrics: ServiceMetrics) -> None:
    metrics.records("stored", 3)
    metrics.records("stored")
    metrics.records("bad")
    assert metrics.registry.get_sample_value("shop_records_total", {"outcome": "stored"}) == 4
    assert metrics.registry.get_sample_value("shop_records_total", {"outcome": "bad"}) == 1


def test_a_record_from_the_future_has_no_negative_age(metrics: ServiceMetrics) -> None:
    metrics.record_age(-3)
    assert metrics.registry.get_sample_value("shop_record_age_seconds_sum") == 0
    assert metrics.registry.get_sample_value("shop_record_age_seconds_count") == 1


def test_the_worst_shard_is_shown_until_it_is_forgotten(metrics: ServiceMetrics) -> None:
    metrics.millis_behind("a", 900)
    metrics.millis_behind("b", 20)
    assert metrics.registry.get_sample_value("shop_millis_behind_latest") == 900
    metrics.forget_shard("a")
    assert metrics.registry.get_sample_value("shop_millis_behind_latest") == 20
    metrics.forget_shard("b")
    assert metrics.registry.get_sample_value("shop_millis_behind_latest") == 0


def test_the_age_of_the_checkpoint_grows_while_nothing_else_happens(
    metrics: ServiceMetrics, clock: ManualClock
) -> None:
    clock.advance(timedelta(seconds=7))
    assert metrics.registry.get_sample_value("shop_seconds_since_checkpoint") == 7
    metrics.checkpointed()
    assert metrics.registry.get_sample_value("shop_seconds_since_checkpoint") == 0


def test_two_services_can_share_a_registry(metrics: ServiceMetrics) -> None:
    ServiceMetrics("other", metrics.registry)
    assert b"other_records" in generate_latest(metrics.registry)


def test_children_are_gathered_with_the_worst_of_them_in_front(tmp_path: Path, clock: ManualClock) -> None:
    registry = CollectorRegistry()
    children = ChildMetrics("shop", tmp_path, clock)
    children.register(registry)
    slow = run_child(tmp_path, checkpoint_at=4, behind=900)
    run_child(tmp_path, checkpoint_at=6, behind=20)
    clock.advance(timedelta(seconds=10))
    assert registry.get_sample_value("shop_records_total", {"outcome": "stored"}) == 10
    assert registry.get_sample_value("shop_record_age_seconds_count") == 2
    assert registry.get_sample_value("shop_millis_behind_latest") == 900
    assert registry.get_sample_value("shop_seconds_since_checkpoint") == 6

    children.forget(slow)
    assert registry.get_sample_value("shop_millis_behind_latest") == 20
    assert registry.get_sample_value("shop_seconds_since_checkpoint") == 4
    assert registry.get_sample_value("shop_records_total", {"outcome": "stored"}) == 10


def test_the_parents_own_metrics_stand_next_to_its_childrens(tmp_path: Path, metrics: ServiceMetrics) -> None:
    ChildMetrics("child", tmp_path).register(metrics.registry)
    assert b"shop_seconds_since_checkpoint" in generate_latest(metrics.registry)
