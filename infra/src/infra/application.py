"""The CDK app: every stack of one deployment."""

import json
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, DefaultStackSynthesizer, Environment, Validations
from cdk_nag import AwsSolutionsChecks

from infra import settings
from infra.config import Config
from infra.data.stack import DataStack
from infra.flink_stack import FlinkStack
from infra.network.stack import NetworkStack
from infra.operations.stack import OperationsStack
from infra.services.stack import ServicesStack

ROOT: Final = Path(__file__).resolve().parents[2]


def build(config: Config | None = None, *, outdir: Path | None = None) -> App:
    """Return the app; its synthesis fails on any finding of cdk-nag that is not acknowledged.

    Args:
        config: the deployment; read from the CDK context (`-c env=prod -c alert_email=...`) when None.
        outdir: where the cloud assembly goes; `cdk.out` or what the CDK command line says when None.
    """
    app = App(outdir=str(outdir) if outdir else None, context=flags(), analytics_reporting=False)
    add_stacks(app, config or from_context(app))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def add_stacks(app: App, config: Config) -> None:
    """Add the stacks of one deployment: all of them, or for the emulator the one whose types it knows."""
    data = DataStack(app, stack_name("Data", config), config=config, **_placement(config))
    if config.emulated:
        return
    if config.flink:
        FlinkStack(app, stack_name("Flink", config), config=config, data=data, **_placement(config))
    network = NetworkStack(app, stack_name("Network", config), config=config, **_placement(config))
    services = ServicesStack(
        app, stack_name("Services", config), config=config, data=data, network=network, **_placement(config)
    )
    OperationsStack(
        app, stack_name("Operations", config), config=config, data=data, services=services, **_placement(config)
    )


def stack_name(part: str, config: Config) -> str:
    """Return the name of one part's stack."""
    return f"Storepulse-{part}-{config.env_name}"


def _placement(config: Config) -> dict[str, Any]:
    return {
        "env": Environment(account=config.account, region=config.region),
        "synthesizer": DefaultStackSynthesizer(generate_bootstrap_version_rule=not config.emulated),
    }


def flags() -> dict[str, object]:
    """Return the feature flags of cdk.json, which only the CDK command line reads by itself."""
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def from_context(app: App) -> Config:
    """Read the deployment from the CDK context, the account and region from the CDK command line."""
    context = app.node.try_get_context
    return Config(
        env_name=context("env") or "dev",
        account=settings.default_account(),
        region=settings.default_region(),
        alert_email=context("alert_email") or None,
        operations_email=context("operations_email") or None,
        nat_gateways=int(context("nat_gateways") or 1),
        windower_tasks=int(context("windower_tasks") or 1),
        detector_tasks=int(context("detector_tasks") or 1),
        detector_shards=int(context("detector_shards") or 16),
        flink=context("flink") == "true",
    )
