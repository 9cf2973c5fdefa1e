"""What docker-compose.yml promises, held to without an engine."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from detector.settings import DetectorSettings
from local import flink
from producer.settings import ProducerSettings
from tests import compose
from windower.settings import WindowerSettings

SETTINGS: dict[str, type[BaseSettings]] = {
    "producer": ProducerSettings,
    "windower": WindowerSettings,
    "detector": DetectorSettings,
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"}
CREDENTIALS_OF_THE_JOB = set(flink.EMULATED)  # the container's own, from its environment
IN_A_CONTAINER = {"host", "endpoint_url", "state_folder"}  # and so not the default
FARGATE = {256: (512, 1024, 2048), 512: range(1024, 4097, 1024), 1024: range(2048, 8193, 1024)}
PUBLIC = r"(prom/prometheus|grafana/grafana):v?\d[\w.]*"


def variables(settings: type[BaseSettings]) -> Iterator[str]:
    """Yield the variable of each field; of several names the first."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    for name, field in settings.model_fields.items():
        match field.validation_alias:
            case AliasChoices(choices=[first, *_]):
                yield str(first)
            case str(alias):
                yield alias
            case _:
                yield (prefix + name).upper()


@pytest.mark.parametrize("service", SETTINGS)
def test_a_service_is_told_each_of_its_settings_and_nothing_else(service: str) -> None:
    told = set(compose.environment(service)) - CREDENTIALS
    assert told == set(variables(SETTINGS[service]))


@pytest.mark.parametrize("service", SETTINGS)
def test_what_a_service_is_told_are_its_defaults_but_for_where_things_are(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose.environment(service).items():
        monkeypatch.setenv(name, value)
    for name, value in SETTINGS[service]():
        field = SETTINGS[service].model_fields[name]
        if name not in IN_A_CONTAINER and not field.is_required():
            assert value == field.get_default(call_default_factory=True), name


@pytest.mark.parametrize("service", SETTINGS)
def test_the_limits_are_a_size_that_fargate_offers(service: str) -> None:
    size = compose.size(service)
    assert size.memory in FARGATE[size.cpu]


def test_each_service_of_the_repository_is_in_the_platform() -> None:
    folders = {path.parent.name for path in (compose.ROOT / "services").glob("*/pyproject.toml")}
    assert folders == set(SETTINGS) <= set(compose.services())


@pytest.mark.parametrize("service", compose.services())
def test_every_port_is_published_on_this_machine_alone(service: str) -> None:
    for port in compose.services()[service].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@pytest.mark.parametrize("service", compose.services())
def test_every_container_is_held_in_bounds(service: str) -> None:
    given = compose.services()[service]
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["memswap_limit"] == given["mem_limit"]
    assert compose.size(service).cpu > 0
    assert given["pids_limit"] > 0
    assert "restart" in given


@pytest.mark.parametrize("service", sorted({"producer", "windower", "detector", "firehose"}))
def test_a_service_starts_when_the_account_is_healthy_and_its_resources_are_there(service: str) -> None:
    needs = compose.services()[service]["depends_on"]
    assert needs["emulator"] == {"condition": "service_healthy"}
    assert needs["deployer"] == {"condition": "service_completed_successfully"}


def test_the_detector_may_stop_for_longer_than_the_kcl_takes_to_hand_over() -> None:
    grace = float(compose.services()["detector"]["stop_grace_period"].removesuffix("s"))
    assert grace > float(compose.environment("detector")["DETECTOR_SHUTDOWN_GRACE_SECONDS"])


@pytest.mark.parametrize("service", compose.services())
def test_an_image_is_built_here_or_is_a_public_one_with_its_version(service: str) -> None:
    given = compose.services()[service]
    if "build" in given:
        assert given["image"] == f"storepulse/{image_name(given)}:dev"
    else:
        assert re.fullmatch(PUBLIC, given["image"])


def image_name(given: dict[str, Any]) -> str:
    return str(given["build"]["dockerfile"]).removesuffix("/Dockerfile").removeprefix("services/")


def test_the_only_credentials_are_the_emulators_and_stand_in_one_place() -> None:
    text = compose.FILE.read_text(encoding="utf-8")
    named = re.findall(r"(?im)^.*(?:secret|password|passwd|token|api_?key|access_key).*$", text)
    assert named == ["  AWS_ACCESS_KEY_ID: test", "  AWS_SECRET_ACCESS_KEY: test"]


def test_what_is_kept_is_in_named_volumes() -> None:
    kept = {
        mount.split(":")[0]
        for given in compose.services().values()
        for mount in given.get("volumes", [])
        if not mount.startswith("./")
    }
    assert kept == set(compose.document()["volumes"])


def test_the_flink_job_is_set_as_on_a_laptop_but_for_where_the_account_is(tmp_path: Path) -> None:
    there = groups(flink.write_properties(tmp_path / "flink.json", compose.environment("flink")["AWS_ENDPOINT_URL"]))
    here = groups(flink.FOLDER / "compose_properties.json")
    assert here == {
        name: {key: value for key, value in there[name].items() if key not in CREDENTIALS_OF_THE_JOB} for name in here
    }
    assert set(there) - set(here) == {"kinesis.analytics.flink.run.options"}


def groups(file: Path) -> dict[str, dict[str, str]]:
    return {each["PropertyGroupId"]: each["PropertyMap"] for each in json.loads(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("service", compose.services())
def test_a_file_of_the_repository_is_mounted_for_reading_only(service: str) -> None:
    for mount in compose.services()[service].get("volumes", []):
        if mount.startswith("./"):
            assert mount.endswith(":ro")
            assert (compose.ROOT / mount.split(":")[0]).exists()
