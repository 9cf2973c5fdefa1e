import time
from typing import Any

import pytest

from local.errors import LocalError
from local.repairs import REPAIRED_VERSION, assert_version, drop_expired


def stream(*ages_in_hours: float) -> dict[str, Any]:
    now = time.time()
    records = [{"ApproximateArrivalTimestamp": now - hours * 3600} for hours in ages_in_hours]
    return {"RetentionPeriodHours": 24, "shards": {"0": {"records": records}}}


def test_the_emulator_s_repaired_version_is_accepted() -> None:
    assert_version(REPAIRED_VERSION)


def test_another_version_of_the_emulator_is_refused_with_what_to_run() -> None:
    with pytest.raises(LocalError, match=rf"ministack 9\.9, .* {REPAIRED_VERSION} only.*make setup"):
        assert_version("9.9")


def test_records_past_the_retention_are_dropped_and_only_those() -> None:
    kept = stream(25, 24.1, 23.9, 0)
    drop_expired(kept)
    assert len(kept["shards"]["0"]["records"]) == 2


def test_the_list_of_a_shard_without_expired_records_is_left_alone() -> None:
    young = stream(1, 0)
    before = young["shards"]["0"]["records"]
    drop_expired(young)
    assert young["shards"]["0"]["records"] is before


def test_an_empty_shard_stays_empty() -> None:
    empty = stream()
    drop_expired(empty)
    assert empty["shards"]["0"]["records"] == []
