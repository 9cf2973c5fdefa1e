"""What is deployed, what is documented and what the domain says of the same things agree."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from dead_letters.letters import MAX_BYTES
from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent, FailureKind
from tests.parity.answers import DELAY, LIMIT, MAX_BYTES_TOLD, SIZE, WINDOWING
from tests.parity.job import FLINK, ROOT, deployed
from windower.settings import WindowerSettings

SQL: Final = (FLINK / "sql" / "windowing.sql").read_text()
PARTS: Final = {part.stem: part.read_text() for part in (FLINK / "sql" / "parts").iterdir()}
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
    discovery, flush = "source.shard.discovery.interval", "sink.flush-buffer.timeout"
    of_tables = {discovery: groups["stream_1"][discovery], flush: groups["stream_2"][flush]}
    assert groups["Flink"] | of_tables == DOCUMENTED


def test_the_decision_names_the_values_that_are_deployed() -> None:
    for name in ("pipeline.auto-watermark-interval", "table.exec.source.idle-timeout", "table.exec.state.ttl"):
        assert f"`{name}` = `{deployed()['Flink'][name]}`" in DECISION


def test_windows_watermark_and_limit_are_the_domains() -> None:
    assert set(re.findall(r"DESCRIPTOR\(rowtime\), INTERVAL '(\d+)' SECOND", SQL)) == {str(SIZE // 1_000)}
    assert re.findall(r"ELSE rowtime - INTERVAL '(\d+)' SECOND", SQL) == [str(DELAY // 1_000)]
    assert re.findall(r"\+ INTERVAL '(\d+)' DAY", PARTS["far_ahead"]) == [str(WINDOWING.max_ahead // 86_400_000)]
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
    kinds = set(re.findall(r"'(late|malformed|invalid|too_large)'", SQL))
    assert kinds == {"late", "malformed", "invalid", "too_large"} <= set(FailureKind)


def test_every_table_has_its_options_and_every_part_is_used() -> None:
    given = {"stream_1", "stream_1_name", "stream_1_place", "stream_2", "stream_2_key", "bad_events"}
    named = set(re.findall(r"\{([a-z]\w+)\}", "".join([SQL, *PARTS.values()])))
    assert named - {"name"} == given | set(PARTS)
    assert {"stream_1", "stream_2", "bad_events"} <= set(deployed())


def test_every_stage_is_a_view_and_every_operator_a_class_of_its_file() -> None:
    [stages] = re.findall(r"^STAGES: .* = \{(.*)\}$", (FLINK / "stages.py").read_text(), re.MULTILINE)
    assert set(re.findall(r'"(\w+)": ', stages)) <= set(re.findall(r"^CREATE VIEW (\w+) AS", SQL, re.MULTILINE))
    operators = re.findall(r'Operator\("(\w+)", "(\w+)"\)', stages)
    assert {name for name, _ in operators} == {path.stem for path in (FLINK / "operators").iterdir()}
    for name, column in operators:
        assert f"public class {name} " in (FLINK / "operators" / f"{name}.java").read_text()
        assert re.search(rf"\b{column}\b", re.sub("(?m)^--.*", "", SQL))


@pytest.mark.parametrize("name", ["stream_1", "stream_2"])
def test_the_streams_are_those_of_the_platform(name: str) -> None:
    field = {"stream_1": "source_stream", "stream_2": "sink_stream"}[name]
    assert deployed()[name]["stream.arn"].endswith(f":stream/{WindowerSettings.model_fields[field].default}")


def test_the_zip_holds_what_the_properties_say_is_run() -> None:
    options = deployed()["kinesis.analytics.flink.run.options"]
    descriptor = (FLINK / "assembly" / "application.xml").read_text()
    files = re.findall(r"<source>(.*?)</source><outputDirectory>/?(.*?)</outputDirectory>", descriptor)
    assert set(options.values()) <= {str(Path(folder) / Path(source).name) for source, folder in files}
