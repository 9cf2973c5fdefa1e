"""The CDK app: every stack of one deployment."""

import json
from pathlib import Path
from typing import Final

from aws_cdk import App, DefaultStackSynthesizer, Environment, Validations
from cdk_nag import AwsSolutionsChecks

from infra import settings
from infra.config import Config
from infra.data.stack import DataStack

ROOT: Final = Path(__file__).resolve().parents[2]


def build(config: Config | None = None, *, outdir: Path | None = None) -> App:
    """Return the app; its synthesis fails on any finding of cdk-nag that is not acknowledged.

    Args:
        config: the deployment; read from the CDK context (`-c env=prod -c alert_email=...`) when None.
        outdir: where the cloud assembly goes; `cdk.out` or what the CDK command line says when None.
    """
    app = App(outdir=str(outdir) if outdir else None, context=flags(), analytics_reporting=False)
    chosen = config or from_context(app)
    DataStack(
        app,
        f"Storepulse-Data-{chosen.env_name}",
        config=chosen,
        env=Environment(account=chosen.account, region=chosen.region),
        synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=not chosen.emulated),
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def flags() -> dict[str, object]:
    """Return the feature flags of cdk.json, which only the CDK command line reads by itself."""
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def from_context(app: App) -> Config:
    """Read the deployment from the CDK context, the account and region from the CDK command line."""
    email = app.node.try_get_context("alert_email")
    return Config(
        env_name=app.node.try_get_context("env") or "dev",
        account=settings.default_account(),
        region=settings.default_region(),
        alert_email=email or None,
    )
