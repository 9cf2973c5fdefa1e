# ruff: noqa: INP001 - a script where the CDK command line runs it
"""What `cdk deploy` runs, from infra/: `npx aws-cdk@2.1148.1 deploy --all -c env=prod` (README.md)."""

from infra import settings

settings.use_bundled_node()

from infra.application import build  # noqa: E402 - CDK starts Node.js when it is imported

build().synth()
