"""Templates as files: what CDK synthesises, stripped of what only its own tools read."""

import json
import tempfile
from pathlib import Path
from typing import Any

from infra.application import build
from infra.config import Config


def synthesise(config: Config) -> dict[str, Any]:
    """Return the data stack's template for one deployment.

    Raises:
        RuntimeError: when cdk-nag finds something that is not acknowledged (raised by jsii).
    """
    with tempfile.TemporaryDirectory() as outdir:
        assembly = build(config, outdir=Path(outdir)).synth()
        (stack,) = assembly.stacks
        template: dict[str, Any] = stack.template
    return template


def without_metadata(template: dict[str, Any]) -> dict[str, Any]:
    """Return `template` without CDK's and cdk-nag's notes: a committed template changes only when a resource does."""
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def as_text(template: dict[str, Any]) -> str:
    """Return `template` as committed: sorted, indented JSON with a newline at its end."""
    return json.dumps(template, indent=1, sort_keys=True) + "\n"
