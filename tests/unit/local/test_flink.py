"""LOCAL_ENGINE=flink puts the Flink job in the windower's place, or says why it cannot."""

import json
from pathlib import Path

import pytest

from local import flink
from local.errors import LocalError
from local.services import table
from local.settings import LocalSettings
from windower.settings import WindowerSettings

WITH_FLINK = table(LocalSettings(engine="flink"), {"JAVA_HOME": "/java"})


def test_the_job_and_its_pipe_take_the_windower_s_place() -> None:
    names = [service.name for service in WITH_FLINK]
    windower = [service.name for service in table(LocalSettings(), {})]
    assert [name for name in names if name not in {"pipe", "flink"}] == [
        name for name in windower if name != "windower"
    ]
    [job] = [service for service in WITH_FLINK if service.name == "flink"]
    assert job.environment["JAVA_HOME"] == "/java"
    assert all(names.index(need) < names.index(service.name) for service in WITH_FLINK for need in service.needs)


def test_a_child_process_is_told_of_the_engine() -> None:
    assert LocalSettings(engine="flink").as_environment()["LOCAL_ENGINE"] == "flink"


def test_the_job_here_has_the_settings_it_is_deployed_with(tmp_path: Path) -> None:
    file = flink.write_properties(tmp_path / "run" / "flink.json", "http://127.0.0.1:4566")
    here = {each["PropertyGroupId"]: each["PropertyMap"] for each in json.loads(file.read_text())}
    deployed = json.loads((flink.FOLDER / "application_properties.json").read_text())
    places = {"stream.arn", "aws.region"}
    for group in deployed:
        name = group["PropertyGroupId"]
        assert {k: v for k, v in group["PropertyMap"].items() if k not in places}.items() <= here[name].items()
    assert here["stream_1"]["stream.arn"].endswith(f"/{WindowerSettings.model_fields['source_stream'].default}")
    assert here["stream_2"]["stream.arn"].endswith(f"/{WindowerSettings.model_fields['sink_stream'].default}")
    assert {here[name]["aws.endpoint"] for name in flink.STREAMS} == {"http://127.0.0.1:4566"}


def test_the_job_in_containers_has_the_settings_it_is_deployed_with() -> None:
    files = [flink.FOLDER / name for name in ("application_properties.json", "compose_properties.json")]
    deployed, composed = (
        {each["PropertyGroupId"]: each["PropertyMap"] for each in json.loads(file.read_text())} for file in files
    )
    assert composed["Flink"] == deployed["Flink"]


def test_a_missing_environment_or_jar_is_named_with_what_to_do(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    with pytest.raises(LocalError, match="make flink-setup"):
        flink.require(python=tmp_path / "none", jar=there)
    with pytest.raises(LocalError, match=r"make flink-package.*mirrors lack it"):
        flink.require(python=there, jar=tmp_path / "none")
    flink.require(python=there, jar=there)
