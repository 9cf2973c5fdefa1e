"""Infra's committed templates, made in the emulator by its CloudFormation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from local import aws
from local.deadlines import wait_until
from local.errors import LocalError
from local.settings import ROOT

TEMPLATES: Final = ROOT / "local" / "templates"
DEPLOYED_WITHIN: Final = 60.0
CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one template made.

    Attributes:
        stack: its name.
        change: what this deployment did.
        resources: type and physical name of each resource.
        outputs: the names a service needs, by infra's output names.
    """

    stack: str
    change: Change
    resources: tuple[tuple[str, str], ...]
    outputs: Mapping[str, str]


def deploy_all(endpoint_url: str, *, within: float = DEPLOYED_WITHIN) -> tuple[Deployment, ...]:
    """Deploy every committed template; what is there already stays as it is.

    Raises:
        LocalError: when the emulator does not answer, rejects a template, or is not done `within` seconds.
    """
    files = sorted(TEMPLATES.glob("*.json"))
    if not files:
        message = f"No template in {TEMPLATES}. Run `make infra-synth`."
        raise LocalError(message)
    deployer = Deployer(endpoint_url, within=within)
    return tuple(deployer.deploy(stack_name(file), file.read_text()) for file in files)


def deployed_outputs(endpoint_url: str) -> dict[str, str]:
    """Return the outputs of every deployed stack: stream, table and bucket names, topic ARN, queue URL.

    Raises:
        LocalError: when one is not deployed yet or the emulator does not answer.
    """
    deployer = Deployer(endpoint_url)
    return {
        name: value for file in TEMPLATES.glob("*.json") for name, value in deployer.outputs(stack_name(file)).items()
    }


def stack_name(template: Path) -> str:
    """Return infra's name for the stack of a template file: `data.json` is `Storepulse-Data-local`."""
    return f"Storepulse-{template.stem.title()}-local"


class Deployer:
    """CloudFormation of one emulator."""

    def __init__(self, endpoint_url: str, *, within: float = DEPLOYED_WITHIN) -> None:
        """Make a deployer that waits `within` seconds for each stack."""
        self._endpoint_url = endpoint_url
        self._within = within
        self._cloudformation: Any = aws.session().client(
            "cloudformation", endpoint_url=endpoint_url, config=aws.client_config()
        )

    def deploy(self, stack: str, template: str) -> Deployment:
        """Create the stack, update it when its template differs, or leave it.

        Raises:
            LocalError: with each resource that failed and why.
        """
        try:
            change = self._apply(stack, json.dumps(json.loads(template)))
            return self._described(stack, change)
        except (BotoCoreError, ClientError) as error:
            message = f"The emulator at {self._endpoint_url} did not deploy {stack}: {error}"
            raise LocalError(message) from error

    def outputs(self, stack: str) -> dict[str, str]:
        """Return what a deployed stack hands out.

        Raises:
            LocalError: when it is not deployed or the emulator does not answer.
        """
        try:
            (description,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            message = f"{stack} is not deployed in the emulator at {self._endpoint_url}: {error}"
            raise LocalError(message) from error
        return _outputs(description)

    def _apply(self, stack: str, body: str) -> Change:
        status = self._status(stack)
        if status is not None and _is_broken(status):
            self._cloudformation.delete_stack(StackName=stack)
            self._wait(stack, gone=True)
            status = None
        if status is None:
            self._cloudformation.create_stack(StackName=stack, TemplateBody=body, Capabilities=CAPABILITIES)
            self._wait(stack)
            return "created"
        self._wait(stack)
        if self._deployed_template(stack) == json.loads(body):
            return "unchanged"
        self._cloudformation.update_stack(StackName=stack, TemplateBody=body, Capabilities=CAPABILITIES)
        self._wait(stack)
        return "updated"

    def _status(self, stack: str) -> str | None:
        try:
            (description,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        status: str = description["StackStatus"]
        return None if status == "DELETE_COMPLETE" else status

    def _wait(self, stack: str, *, gone: bool = False) -> None:
        seen: list[str | None] = [None]

        def settled() -> bool:
            seen[0] = self._status(stack)
            return seen[0] is None if gone else not (seen[0] or "IN_PROGRESS").endswith("IN_PROGRESS")

        wait_until(settled, within=self._within, what=f"the emulator is not done with {stack}", every=0.1)
        if not gone and _is_broken(seen[0] or ""):
            message = f"{stack} is {seen[0]}: {self._failures(stack)}"
            raise LocalError(message)

    def _failures(self, stack: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = (e for e in events if "FAILED" in e["ResourceStatus"])
        return "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason')}" for e in failed)

    def _deployed_template(self, stack: str) -> object:
        body = self._cloudformation.get_template(StackName=stack)["TemplateBody"]
        return json.loads(body) if isinstance(body, str) else body

    def _described(self, stack: str, change: Change) -> Deployment:
        (description,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        summaries = self._cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        return Deployment(
            stack=stack,
            change=change,
            resources=tuple(sorted((s["ResourceType"], s["PhysicalResourceId"]) for s in summaries)),
            outputs=_outputs(description),
        )


def _outputs(description: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def _is_broken(status: str) -> bool:
    """Say whether a stack is in a state that CloudFormation cannot update."""
    return status.endswith("FAILED") or "ROLLBACK" in status
