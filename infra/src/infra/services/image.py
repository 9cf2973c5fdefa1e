"""Images from this checkout; Docker builds them when CDK deploys, never when it synthesises."""

from pathlib import Path
from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs

ROOT: Final = Path(__file__).resolve().parents[4]


def image_of(service: str) -> ecs.ContainerImage:
    """Return the image of a service, built from what its own ignore file lets through and nothing else.

    So an image is built and rolled out anew only when something of its own has changed.
    """
    dockerfile = f"services/{service}/Dockerfile"
    return ecs.ContainerImage.from_asset(
        str(ROOT),
        file=dockerfile,
        exclude=[*ignored(ROOT / f"{dockerfile}.dockerignore"), f"!{dockerfile}"],
        ignore_mode=IgnoreMode.DOCKER,
        platform=assets.Platform.LINUX_AMD64,
    )


def ignored(file: Path) -> list[str]:
    """Return the patterns of an ignore file: CDK reads none but one in the root."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]
