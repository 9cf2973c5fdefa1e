import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from detector.settings import DetectorSettings
from local.deployer import TEMPLATES
from local.services import Service, table
from local.settings import LocalSettings
from producer.settings import ProducerSettings
from windower.settings import WindowerSettings

CLASSES: dict[str, type[BaseSettings]] = {
    "producer": ProducerSettings,
    "windower": WindowerSettings,
    "detector": DetectorSettings,
}
SERVICES = {service.name: service for service in table(LocalSettings(), {})}


def told(service: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what a service's settings become under its environment here."""
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    return CLASSES[service.name]().model_dump(mode="json")


def physical_names() -> Iterator[str]:
    """Yield every name that the committed template gives a resource."""
    template = json.loads((TEMPLATES / "data.json").read_text())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        yield from (v for k, v in properties.items() if k.endswith("Name") and isinstance(v, str))


@pytest.mark.parametrize("name", CLASSES)
def test_every_variable_a_service_is_given_is_one_that_it_reads(name: str) -> None:
    prefix = f"{name.upper()}_"
    given = {v.removeprefix(prefix).lower() for v in SERVICES[name].environment if v.startswith(prefix)}
    assert given <= CLASSES[name].model_fields.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_every_resource_a_service_is_told_of_is_one_that_is_deployed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = told(SERVICES[name], monkeypatch)
    resources = ("_stream", "stream", "_table", "_queue", "_bucket", "_topic_arn")
    names = [str(v).rpartition(":")[2] for k, v in settings.items() if k.endswith(resources)]
    assert names
    assert set(names) <= set(physical_names())


@pytest.mark.parametrize("name", CLASSES)
def test_every_service_talks_to_the_emulator_and_listens_where_its_pages_are_said_to_be(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = told(SERVICES[name], monkeypatch)
    assert str(settings["endpoint_url"]).rstrip("/") == LocalSettings().endpoint_url
    assert f"http://{settings['host']}:{settings['port']}" == SERVICES[name].address


def test_every_need_of_a_service_is_a_service_that_starts_before_it() -> None:
    order = list(SERVICES)
    assert all(order.index(need) < order.index(name) for name, s in SERVICES.items() for need in s.needs)


def test_the_detector_alone_is_led_to_java() -> None:
    led = [s.name for s in table(LocalSettings(), {"JAVA_HOME": "/java"}) if "JAVA_HOME" in s.environment]
    assert led == ["detector"]
