"""What every service is told by its environment, read once and frozen."""

import sys
from typing import Annotated, Literal, TypeVar

from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 lets the machine choose a free one."""


class ServiceSettings(BaseSettings):
    """The settings that all services share; a service subclasses it and sets its own `env_prefix`.

    `region` and `endpoint_url` are also read from the variables that AWS's own tools read, without a prefix.
    An empty variable counts as unset.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, populate_by_name=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least severe log line that is written"
    )
    host: str = Field(default="127.0.0.1", description="the address that the operations page listens on")
    port: Port = Field(default=0, description="its port; 0 = any free one")
    region: str = Field(
        default="us-east-1",
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        description="the AWS region",
    )
    endpoint_url: AnyHttpUrl | None = Field(
        default=None, validation_alias="AWS_ENDPOINT_URL", description="an emulated AWS; unset in AWS itself"
    )


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Read `cls` from the environment, or say on stderr which variable is wrong and exit with code 2.

    A wrong value is shown, unless its field is a `SecretStr`.

    Raises:
        SystemExit: code 2, a setting is missing or wrong.
    """
    try:
        return cls()
    except ValidationError as error:
        problems = [_problem(cls, details) for details in error.errors(include_url=False)]
    except SettingsError as error:
        problems = [f"{error}: {error.__cause__}"]
    title = str(cls.model_config.get("env_prefix") or cls.__name__).rstrip("_").lower()
    sys.stderr.write(f"{title} cannot start: its settings are wrong\n" + "".join(f"  {line}\n" for line in problems))
    raise SystemExit(2)


def _problem(cls: type[BaseSettings], details: ErrorDetails) -> str:
    variable, secret, description = _variable(cls, details["loc"])
    hint = f" ({description})" if description else ""
    if details["type"] == "missing":
        return f"{variable} is not set{hint}: set it in the environment"
    shown = "" if secret else f"={details['input']!r}"
    return f"{variable}{shown}{hint}: {details['msg']}. Correct it in the environment"


def _variable(cls: type[BaseSettings], location: tuple[int | str, ...]) -> tuple[str, bool, str]:
    """Return the variable's name, whether its value is secret, and what it is for."""
    prefix = str(cls.model_config.get("env_prefix") or "")
    name = str(location[0]) if location else "their combination"
    field = cls.model_fields.get(name)
    if field is None:  # an alias is the variable's own name
        return name, True, ""
    return (
        (prefix + name).upper(),
        SecretStr in (field.annotation, *_arguments(field.annotation)),
        field.description or "",
    )


def _arguments(annotation: object) -> tuple[object, ...]:
    return tuple(getattr(annotation, "__args__", ()))
