"""Where everything listens and lives; read once from the environment, the only module here that looks at it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from local.errors import LocalError

ROOT: Final = Path(__file__).resolve().parents[3]
"""The repository: this package is only ever run from a checkout."""

HERE: Final = "127.0.0.1"
EMULATOR_PORT: Final = 4566
SERVICE_PORTS: Final = {"producer": 8081, "windower": 8082, "detector": 8083}


class LocalSettings(BaseSettings):
    """Settings of the local account.

    LOCAL_EMULATOR_PORT moves everything: the services' ports move as far as it is from 4566, unless they are set.
    LOCAL_ENGINE=flink lets the Flink job count in the windower's place.
    Hosts are for containers: LOCAL_BIND_HOST is where the emulator listens, LOCAL_EMULATOR_HOST where others find it.
    """

    model_config = SettingsConfigDict(env_prefix="LOCAL_", env_ignore_empty=True, frozen=True, populate_by_name=True)

    bind_host: str = HERE
    emulator_host: str = HERE
    emulator_port: int = Field(default=EMULATOR_PORT, ge=1, le=65535)
    producer_port: int = Field(default=0, ge=0, le=65535, validate_default=True)
    windower_port: int = Field(default=0, ge=0, le=65535, validate_default=True)
    detector_port: int = Field(default=0, ge=0, le=65535, validate_default=True)
    run_dir: Path = ROOT / ".run"
    persist: bool = False
    engine: Literal["windower", "flink"] = "windower"
    java_home: Path | None = Field(default=None, validation_alias="JAVA_HOME")

    @field_validator("producer_port", "windower_port", "detector_port")
    @classmethod
    def _move_with_emulator(cls, port: int, info: ValidationInfo) -> int:
        service = (info.field_name or "").removesuffix("_port")
        moved = port or SERVICE_PORTS[service] + info.data.get("emulator_port", EMULATOR_PORT) - EMULATOR_PORT
        if not 1 <= moved <= 65535:  # noqa: PLR2004 - TCP
            message = f"would be {moved}; set it, or another LOCAL_EMULATOR_PORT"
            raise ValueError(message)
        return moved

    @field_validator("run_dir")
    @classmethod
    def _same_from_anywhere(cls, run_dir: Path) -> Path:
        return run_dir.absolute()

    @property
    def endpoint_url(self) -> str:
        """What AWS_ENDPOINT_URL is for every process on this machine."""
        return endpoint_url(self.emulator_port, self.emulator_host)

    def service_ports(self) -> dict[str, int]:
        """Return the port of each service's operations page."""
        return {"producer": self.producer_port, "windower": self.windower_port, "detector": self.detector_port}

    def as_environment(self) -> dict[str, str]:
        """Return the variables that give a child process these settings."""
        ports = {f"LOCAL_{name.upper()}_PORT": str(port) for name, port in self.service_ports().items()}
        return {
            **ports,
            "LOCAL_ENGINE": self.engine,
            "LOCAL_BIND_HOST": self.bind_host,
            "LOCAL_EMULATOR_HOST": self.emulator_host,
            "LOCAL_EMULATOR_PORT": str(self.emulator_port),
            "LOCAL_PERSIST": str(self.persist).lower(),
            "LOCAL_RUN_DIR": str(self.run_dir),
        }


def endpoint_url(port: int, host: str = HERE) -> str:
    """Return the address of the emulator that listens on `port` of `host`."""
    return f"http://{host}:{port}"


def load(**given: Any) -> LocalSettings:  # noqa: ANN401 - pydantic judges them
    """Read the settings; those `given` come before the environment's.

    Raises:
        LocalError: naming each variable that is wrong.
    """
    try:
        return LocalSettings(**given)
    except ValidationError as error:
        wrong = "; ".join(f"LOCAL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        message = f"Wrong setting. {wrong}."
        raise LocalError(message) from error


def search_path() -> str:
    """Return where programs are looked for."""
    return os.environ.get("PATH", os.defpath)


def inherited_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `extra` over it, for a child process."""
    return {**os.environ, **extra}


def become(command: Sequence[str], extra: Mapping[str, str]) -> NoReturn:
    """Run `command` in this process's place, its environment with `extra` over it."""
    os.execve(command[0], list(command), inherited_environment(extra))  # noqa: S606 - our own program


def keep_to_this_machine() -> None:
    """Make this process and its children know nothing of the user's own AWS account, nor reach this machine by a proxy.

    A profile, a session token or an endpoint for one service in the environment would come before what they are told.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    without_proxy = ",".join(
        filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), HERE, "localhost"))
    )
    configure_process(
        {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": without_proxy,
            "no_proxy": without_proxy,
        }
    )


def configure_process(values: Mapping[str, str]) -> None:
    """Set variables of this process, for a library whose only configuration is its environment."""
    os.environ.update(values)
