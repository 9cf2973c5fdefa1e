"""What is deployed, what is documented and what the domain says of the same things agree."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from dead_letters.letters import MAX_BYTES
from storepulse.activity.codec import MAX_PAYLOAD_BYTES
from storepulse.activity.counts import WindowCount
from storepulse.activity.events import MAX_REPLAY_SHIFT
from storepulse.activity.nesting import MAX_DEPTH
from storepulse.activity.prices import PRICE_BELOW, PRICE_PATTERN
from storepulse.activity.users import MAX_KEY_UNITS
from storepulse.failures import BadEvent, FailureKind
from tests.parity.answers import DELAY, LIMIT, MAX_BYTES_TOLD, SIZE
from tests.parity.job import FLINK, ROOT, deployed
from windower.handlers import Windowing
from windower.settings import WindowerSettings

SQL: Final = (FLINK / "sql" / "windowing.sql").read_text()
JAVA: Final = FLINK / "src/main/java/storepulse/flink"
DECODER: Final = (JAVA / "Decoder.java").read_text()
PAGE: Final = (ROOT / "docs/flink.md").read_text()
DOCUMENTED: Final = dict(re.findall(r"^\| `([a-z.-]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE))
DECISION: Final = (ROOT / "docs/adr/0010-flink-settings.md").read_text()

#: Of AWS's page "Programmatic Flink configuration properties", as it was on 2026-11-21: what the job sets. Managed
#: Flink 2.2 throws when code sets one that is not on that page; look a new one up before you add it.
SETTABLE: Final = {
    "pipeline.auto-watermark-interval",
    "pipeline.object-reuse",
    "table.exec.source.idle-timeout",
    "table.exec.state.ttl",
    "table.local-time-zone",
    "table.optimizer.agg-phase-strategy",
}


def test_managed_flink_lets_code_set_what_the_job_sets() -> None:
    assert set(deployed()["Flink"]) == SETTABLE


def test_the_documented_settings_are_those_that_are_deployed() -> None:
    groups = deployed()
    wiring = {"connector", "format", "stream.arn", "aws.region", "source.init.position"}
    of_tables = {name: groups[table][name] for table in ("stream_1", "stream_2") for name in groups[table]}
    of_tables = {name: value for name, value in of_tables.items() if name not in wiring}
    assert groups["Flink"] | of_tables == DOCUMENTED


def test_the_decision_names_the_values_that_are_deployed() -> None:
    for name in ("pipeline.auto-watermark-interval", "table.exec.source.idle-timeout", "table.exec.state.ttl"):
        assert f"`{name}` = `{deployed()['Flink'][name]}`" in DECISION


def test_windows_watermark_and_limit_are_the_domains() -> None:
    assert set(re.findall(r"DESCRIPTOR\(rowtime\), INTERVAL '(\d+)' SECOND", SQL)) == {str(SIZE // 1_000)}
    assert re.findall(r"THEN rowtime - INTERVAL '(\d+)' SECOND", SQL) == [str(DELAY // 1_000)]
    assert re.findall(r"num_actions = (\d+)", SQL) == [str(LIMIT + 1)]


def test_stream_2_has_the_fields_of_a_window_count() -> None:
    [columns] = re.findall(r"CREATE TABLE stream_2 \((.*?)\n\)", SQL, re.DOTALL)
    assert re.findall(r"^ +(\w+)", columns, re.MULTILINE) == [each.name for each in msgspec.structs.fields(WindowCount)]


def test_a_bad_event_has_the_fields_of_the_domains_and_fits_into_a_message() -> None:
    [columns] = re.findall(r"CREATE TABLE bad_events \((.*?)\n\)", SQL, re.DOTALL)
    fields = [each.name for each in msgspec.structs.fields(BadEvent)]
    assert re.findall(r"^ +`?(\w+)", columns, re.MULTILINE) == [name for name in fields if name != "payload_url"]
    assert f"VARBINARY({MAX_BYTES_TOLD})" in SQL
    assert MAX_BYTES_TOLD * 4 / 3 + 10_000 < MAX_BYTES


def test_every_kind_of_bad_event_is_one_of_the_domains() -> None:
    kinds = set(re.findall(r"'(late)' AS kind", SQL)) | set(re.findall(r'refuse\("(\w+)"', DECODER))
    assert kinds == {"late", "malformed", "invalid", "too_large"} <= set(FailureKind)


def test_the_limits_of_the_decoder_are_the_domains() -> None:
    assert re.findall(r"MAX_BYTES = (.*);", DECODER) == ["1024 * 1024"]
    assert MAX_PAYLOAD_BYTES == 1024 * 1024
    assert re.findall(r"MAX_DEPTH = (\d+);", DECODER) == [str(MAX_DEPTH)]
    assert re.findall(r"MAX_USER_UNITS = (\d+);", DECODER) == [str(MAX_KEY_UNITS)]
    assert re.findall(r"MAX_SHIFT = 1L << (\d+);", DECODER) == [str(MAX_REPLAY_SHIFT.bit_length() - 1)]
    assert [float(each) for each in re.findall(r"PRICE_BELOW = (\w+);", DECODER)] == [PRICE_BELOW]
    assert re.findall(r'PRICE = Pattern.compile\("(.*)"\);', DECODER) == [PRICE_PATTERN[1:-1].replace("\\", r"\\")]


def test_a_record_may_be_as_far_ahead_of_its_arrival_as_for_the_windower() -> None:
    windowing = Windowing(size=SIZE, delay=DELAY, limit=LIMIT)
    assert deployed()["stream_1"]["max-ahead"] == f"{windowing.max_ahead // 60_000} min"
    assert deployed()["stream_1"]["max-replay-ahead"] == f"{windowing.max_replay_ahead // 86_400_000} d"


def test_every_table_has_its_options() -> None:
    named = set(re.findall(r"\{([a-z]\w+)\}", SQL))
    assert named - {"name"} == {"stream_1", "stream_1_name", "stream_2", "stream_2_key", "bad_events", "wire_form"}
    assert {"stream_1", "stream_2", "bad_events"} <= set(deployed())


def test_every_stage_is_a_view_and_its_column_is_used() -> None:
    [stages] = re.findall(r"^STAGES: .* = \{(.*)\}$", (FLINK / "stages.py").read_text(), re.MULTILINE)
    assert set(re.findall(r'"(\w+)": ', stages)) <= set(re.findall(r"^CREATE VIEW (\w+) AS", SQL, re.MULTILINE))
    for column in re.findall(r': "(\w+)"', stages):
        assert re.search(rf"\b{column}\b", re.sub("(?m)^--.*", "", SQL))


def test_watermarks_are_rounded_to_where_windows_fire() -> None:
    assert deployed()["stream_1"]["scan.watermark.step"] == f"{SIZE // 1_000} s"


@pytest.mark.parametrize("name", ["stream_1", "stream_2"])
def test_the_streams_are_those_of_the_platform(name: str) -> None:
    field = {"stream_1": "source_stream", "stream_2": "sink_stream"}[name]
    assert deployed()[name]["stream.arn"].endswith(f":stream/{WindowerSettings.model_fields[field].default}")


def test_the_zip_holds_what_the_properties_say_is_run() -> None:
    options = deployed()["kinesis.analytics.flink.run.options"]
    descriptor = (FLINK / "assembly" / "application.xml").read_text()
    files = re.findall(r"<source>(.*?)</source><outputDirectory>/?(.*?)</outputDirectory>", descriptor)
    assert set(options.values()) <= {str(Path(folder) / Path(source).name) for source, folder in files}
