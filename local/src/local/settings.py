"""Where everything listens and lives; read once from the environment, the only module here that looks at it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from local.errors import LocalError

ROOT: Final = Path(__file__).resolve().parents[3]
"""The repository: this package is only ever run from a checkout."""


class LocalSettings(BaseSettings):
    """Settings of the local account; every address of the emulator is derived from `emulator_port`."""

    model_config = SettingsConfigDict(env_prefix="LOCAL_", frozen=True)

    emulator_port: int = Field(default=4566, ge=1, le=65535)
    run_dir: Path = ROOT / ".run"
    persist: bool = False

    @property
    def endpoint_url(self) -> str:
        """What AWS_ENDPOINT_URL is for every process on this machine."""
        return endpoint_url(self.emulator_port)


def endpoint_url(port: int) -> str:
    """Return the address of the emulator that listens on `port`."""
    return f"http://127.0.0.1:{port}"


def load() -> LocalSettings:
    """Read the settings.

    Raises:
        LocalError: naming each variable that is wrong.
    """
    try:
        return LocalSettings()
    except ValidationError as error:
        wrong = "; ".join(f"LOCAL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        message = f"Wrong setting. {wrong}."
        raise LocalError(message) from error


def inherited_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `extra` over it, for a child process."""
    return {**os.environ, **extra}


def configure_process(values: Mapping[str, str]) -> None:
    """Set variables of this process, for a library whose only configuration is its environment."""
    os.environ.update(values)
