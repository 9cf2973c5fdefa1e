"""The emulated account: its region, number and credentials."""

from typing import Final

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"


def environment(endpoint_url: str) -> dict[str, str]:
    """Return the standard variables that point any AWS SDK at the emulator and at nothing else."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
