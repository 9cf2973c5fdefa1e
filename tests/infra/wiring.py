"""What a deployment tells a service, in AWS and in compose, and the one table of what may differ.

A service's settings are its fields; whatever is listed here is left out, or differs, for the reason beside it.
"""

import re
from typing import Any, Final

from detector.settings import DetectorSettings
from producer.settings import ProducerSettings
from servicekit.settings import ServiceSettings
from tests import compose
from tests.infra.synthesis import Template
from windower.settings import WindowerSettings

SETTINGS: Final[dict[str, type[ServiceSettings]]] = {
    "producer": ProducerSettings,
    "windower": WindowerSettings,
    "detector": DetectorSettings,
}

NOT_IN_AWS: Final = {
    "AWS_ENDPOINT_URL": "there is no emulator; the SDKs know AWS's own addresses",
    "DETECTOR_ALLOWED_USERS": "nobody is above the rule until somebody is named",
    "DETECTOR_ALLOWED_USERS_FILE": "no file in the image; users are named in DETECTOR_ALLOWED_USERS",
    "DETECTOR_RUN_DIR": "a temporary folder of the task's own",
}
"""Settings that infra does not set; compose sets them for the emulator, or empty, which counts as unset."""

ONLY_IN_COMPOSE: Final = {
    "AWS_ACCESS_KEY_ID": "the emulator takes any; a task in AWS has its role",
    "AWS_SECRET_ACCESS_KEY": "the emulator takes any; a task in AWS has its role",
    "AWS_EC2_METADATA_DISABLED": "no machine to ask for credentials; a task in AWS has its role",
}
"""Variables that are nobody's setting."""

NAMED_OTHERWISE: Final = {"local": "test", "000000000000": "111111111111"}
"""Parts of names: the deployment's name and account in compose, and here in infra."""

OF_THE_DEPLOYMENT: Final = frozenset(
    {
        *("AWS_REGION", "PRODUCER_HOST", "WINDOWER_HOST", "DETECTOR_HOST", "PRODUCER_STATE_FOLDER"),
        *(
            "PRODUCER_RAW_BUCKET",
            "PRODUCER_BAD_EVENTS_QUEUE",
            "WINDOWER_BAD_EVENTS_BUCKET",
            "WINDOWER_BAD_EVENTS_QUEUE",
        ),
        *("DETECTOR_COUNTS_TABLE", "DETECTOR_ALERTS_TABLE", "DETECTOR_ALERTS_TOPIC_ARN"),
        *("DETECTOR_BAD_EVENTS_QUEUE", "DETECTOR_BAD_EVENTS_BUCKET"),
    }
)
"""What a deployment decides: names and addresses. All else that it sets are the settings' own defaults."""


def variables(service: str) -> dict[str, str]:
    """Return the settings of a service: the variable of each field, and the field."""
    shared = {"region": "AWS_REGION", "endpoint_url": "AWS_ENDPOINT_URL"}
    fields = SETTINGS[service].model_fields
    return {shared.get(name, f"{service}_{name}".upper()): name for name in fields}


def container(services: Template, service: str) -> dict[str, Any]:
    """Return the container of a service's task definition."""
    definitions = [r["Properties"] for r in services["Resources"].values() if r["Type"] == "AWS::ECS::TaskDefinition"]
    (found,) = (c for definition in definitions for c in definition["ContainerDefinitions"] if c["Name"] == service)
    return dict(found)


def task(services: Template, service: str) -> dict[str, Any]:
    """Return a service's task definition."""
    definitions = [r["Properties"] for r in services["Resources"].values() if r["Type"] == "AWS::ECS::TaskDefinition"]
    (found,) = (d for d in definitions if d["ContainerDefinitions"][0]["Name"] == service)
    return dict(found)


def in_aws(services: Template, service: str) -> dict[str, str]:
    """Return what infra tells a service."""
    return {entry["Name"]: entry["Value"] for entry in container(services, service)["Environment"]}


def in_compose(service: str) -> dict[str, str]:
    """Return what compose tells a service when nobody's own environment changes it; empty counts as unset."""
    return {name: value for name, value in compose.environment(service).items() if value}


def renamed(value: str) -> str:
    """Return a value of compose as infra has it."""
    for in_the_emulator, here in NAMED_OTHERWISE.items():
        value = re.sub(rf"\b{in_the_emulator}\b", here, value)
    return value
