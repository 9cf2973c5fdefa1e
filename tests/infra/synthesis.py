"""Infra's templates, synthesised by CDK in infra's own environment."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INFRA_PYTHON = ROOT / "infra" / ".venv" / "bin" / "python"
COMMITTED = ROOT / "local" / "templates" / "data.json"

Template = dict[str, Any]


def infra(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a module of infra's environment; its output is text."""
    if not INFRA_PYTHON.exists():
        message = f"{INFRA_PYTHON} is missing: run `make infra/.venv/.done`"
        raise FileNotFoundError(message)
    return subprocess.run(  # noqa: S603 - our own command
        [INFRA_PYTHON, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def synthesise_all(folder: Path, *options: str) -> Path:
    """Write every stack's template into `folder`, as `<part>.json`, and return it."""
    result = infra("-m", "infra", "synth", *options, "--folder", str(folder))
    assert result.returncode == 0, result.stderr
    return folder


ASSEMBLE = """
import sys
from pathlib import Path
from infra import settings
settings.use_bundled_node()
from infra.application import build
from infra.config import Config
from infra.synthesis import as_text, part_of, without_metadata
given = {"env_name": "test", "account": "111111111111", "region": "us-east-1"}
several = {"detector_tasks": 3, "detector_shards": 40}
for name, more in {"aws": {}, "flink": {"flink": True, "windower_tasks": 0, **several}}.items():
    folder = Path(sys.argv[1]) / name
    for stack in build(Config(**given, **more), outdir=folder / "assembly").synth().stacks:
        (folder / f"{part_of(stack.stack_name)}.json").write_text(as_text(without_metadata(stack.template)))
"""


def assemble(folder: Path) -> None:
    """Write two deployments called `test`: `aws`, `flink` with the Flink job in the windower's place and 3 detectors.

    Each folder has the stacks' templates, as `<part>.json`, and what CDK deploys, in `assembly`.
    """
    result = infra("-c", ASSEMBLE, str(folder))
    assert result.returncode == 0, result.stderr


def synthesise(file: Path, *options: str) -> Path:
    """Write a template to `file` and return it."""
    result = infra("-m", "infra", "synth", *options, "--output", str(file))
    assert result.returncode == 0, result.stderr
    return file


def load(file: Path) -> Template:
    """Return the template in `file`."""
    template: Template = json.loads(file.read_text())
    return template


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    """Return the properties of each resource of a type, such as `S3::Bucket`."""
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == f"AWS::{kind}"]


def only(template: Template, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type."""
    (properties,) = of_type(template, kind)
    return properties


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement with its resource's logical id: of roles, buckets, queues, topics and keys."""
    for name, resource in template["Resources"].items():
        for holder in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            for statement in resource.get("Properties", {}).get(holder, {}).get("Statement", []):
                yield name, statement


def actions(statement: dict[str, Any]) -> list[str]:
    """Return a statement's actions as a list."""
    listed = statement["Action"]
    return [listed] if isinstance(listed, str) else list(listed)
