"""The committed JSON Schemas say what the codecs do."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from storepulse import schemas
from storepulse.activity.codec import MAX_PAYLOAD_BYTES, decode, encode
from storepulse.activity.counts import WindowCount, decode_count, encode_count
from storepulse.activity.events import Activity, Heartbeat
from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent, BadPayload, FailureKind
from tests.builders import window_count
from tests.unit.storepulse.strategies import (
    activities,
    good_payloads,
    heartbeats,
    odd_heartbeats,
    odd_records,
    odd_values,
    window_counts,
)

JUDGES = {name: Draft202012Validator(json.loads(schemas.file_of(name).read_text())) for name in schemas.SCHEMAS}
#: What no schema says: that an instant exists, how long a text is in UTF-16, that a window ends after its start.
BEYOND_SCHEMAS = ("txn_timestamp: ", "UTF-16 code units", "window_start: ", "window_end")


def fits(name: str, data: bytes) -> bool:
    return JUDGES[name].is_valid(json.loads(data))


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_the_committed_schema_is_what_the_types_say(name: str) -> None:
    assert schemas.file_of(name).read_text(encoding="utf-8") == schemas.text_of(name), (
        "run: python -m storepulse.schemas"
    )
    Draft202012Validator.check_schema(schemas.schema(name))


def test_no_schema_is_committed_that_nothing_has() -> None:
    assert {file.name for file in schemas.FOLDER.iterdir()} == {schemas.file_of(name).name for name in schemas.SCHEMAS}


@given(activities, heartbeats, window_counts)
def test_what_is_written_fits_its_schema_and_no_other(
    action: Activity, heartbeat: Heartbeat, count: WindowCount
) -> None:
    for fitting, data in (
        ("activity/1", encode(action)),
        ("heartbeat/1", encode(heartbeat)),
        ("window-count/1", encode_count(count)),
    ):
        assert [name for name in ("activity/1", "heartbeat/1", "window-count/1") if fits(name, data)] == [fitting]


@given(st.one_of(good_payloads, odd_records, odd_heartbeats))
def test_a_record_is_accepted_if_and_only_if_it_fits_a_schema(data: bytes) -> None:
    match decode(data):
        case Activity() as event:
            assert fits("activity/1", encode(event))
        case Heartbeat():
            assert fits("heartbeat/1", data)
        case BadPayload(kind=FailureKind.INVALID, reason=reason) if not any(part in reason for part in BEYOND_SCHEMAS):
            record = json.loads(data)
            names_a_user = isinstance(record, dict) and record.get("user_id") is not None
            assert not fits("activity/1", data)
            assert names_a_user or not fits("heartbeat/1", data)
        case _:
            pass


@given(st.dictionaries(st.sampled_from([*WindowCount.__struct_fields__, "extra"]), odd_values, max_size=2))
def test_a_count_is_accepted_if_and_only_if_it_fits_its_schema(fields: dict[str, Any]) -> None:
    data = msgspec.json.encode(msgspec.to_builtins(window_count()) | fields)
    assert len(data) < MAX_PAYLOAD_BYTES
    match decode_count(data):
        case WindowCount():
            assert fits("window-count/1", data)
        case BadPayload(reason=reason):
            assert any(part in reason for part in BEYOND_SCHEMAS) or not fits("window-count/1", data)


@given(window_counts)
def test_alerts_and_bad_events_fit_their_schemas(count: WindowCount) -> None:
    assert fits("alert/1", msgspec.json.encode(Alert.of(count, rule="rate", limit=0)))
    bad = BadEvent.of(
        BadPayload(FailureKind.LATE, "late"),
        encode_count(count),
        service="windower",
        stream="stream-1",
        shard_id="shard-0",
        sequence_number="1",
        failed_at=count.window_end,
    )
    assert fits("bad-event/1", msgspec.json.encode(bad))
