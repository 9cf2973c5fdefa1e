from collections.abc import Mapping

import pytest

from servicekit.settings import ServiceSettings
from tests import compose
from tests.infra.synthesis import Template
from tests.infra.wiring import (
    NOT_IN_AWS,
    OF_THE_DEPLOYMENT,
    ONLY_IN_COMPOSE,
    SETTINGS,
    container,
    in_aws,
    in_compose,
    renamed,
    task,
    variables,
)

EACH = pytest.mark.parametrize("service", SETTINGS)


def loaded(service: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """Return the settings that `environment` gives."""
    with monkeypatch.context() as variables_of_a_task:
        for name, value in environment.items():
            variables_of_a_task.setenv(name, value)
        return SETTINGS[service]()


@EACH
def test_a_task_is_told_each_setting_of_its_service_and_nothing_else(services: Template, service: str) -> None:
    told = set(in_aws(services, service))
    assert told == set(variables(service)) - set(NOT_IN_AWS)


@EACH
def test_a_task_is_told_what_compose_tells_the_same_service(
    services: Template, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        name: renamed(value)
        for name, value in in_compose(service).items()
        if name not in NOT_IN_AWS.keys() | ONLY_IN_COMPOSE.keys()
    }
    assert in_aws(services, service).keys() == told.keys()
    assert loaded(service, in_aws(services, service), monkeypatch) == loaded(service, told, monkeypatch)


def test_every_exception_is_one() -> None:
    settings = {name for service in SETTINGS for name in variables(service)}
    in_some_compose = {name for service in SETTINGS for name in compose.environment(service)}
    assert settings >= NOT_IN_AWS.keys() | OF_THE_DEPLOYMENT
    assert in_some_compose - settings == ONLY_IN_COMPOSE.keys()


@EACH
def test_whatever_is_no_name_or_address_is_the_setting_s_own_default(
    services: Template, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = in_aws(services, service)
    settings = loaded(service, told, monkeypatch)
    for name in told.keys() - OF_THE_DEPLOYMENT:
        field = variables(service)[name]
        assert getattr(settings, field) == SETTINGS[service].model_fields[field].default, name


@EACH
def test_a_task_is_as_large_as_its_container_in_compose(services: Template, service: str) -> None:
    definition = task(services, service)
    assert compose.Size(cpu=int(definition["Cpu"]), memory=int(definition["Memory"])) == compose.size(service)


@EACH
def test_a_task_and_its_container_in_compose_have_the_same_time_to_stop(services: Template, service: str) -> None:
    assert f"{container(services, service)['StopTimeout']}s" == compose.services()[service]["stop_grace_period"]
