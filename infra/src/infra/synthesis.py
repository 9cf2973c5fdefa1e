"""Templates as files: what CDK synthesises, stripped of what only its own tools read."""

import json
import tempfile
from pathlib import Path
from typing import Any

from infra.application import build
from infra.config import Config

Template = dict[str, Any]


def synthesise(config: Config) -> dict[str, Template]:
    """Return the template of each stack of one deployment by its part: `data`, and in AWS the others.

    Raises:
        RuntimeError: when cdk-nag finds something that is not acknowledged (raised by jsii).
    """
    with tempfile.TemporaryDirectory() as outdir:
        assembly = build(config, outdir=Path(outdir)).synth()
        return {part_of(stack.stack_name): stack.template for stack in assembly.stacks}


def part_of(stack_name: str) -> str:
    """Return `data` for `Storepulse-Data-prod`."""
    return stack_name.split("-")[1].lower()


def without_metadata(template: Template) -> Template:
    """Return `template` without CDK's and cdk-nag's notes: a committed template changes only when a resource does."""
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def as_text(template: Template) -> str:
    """Return `template` as committed: sorted, indented JSON with a newline at its end."""
    return json.dumps(template, indent=1, sort_keys=True) + "\n"
