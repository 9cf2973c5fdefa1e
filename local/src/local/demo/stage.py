"""What is put into the account before the replay: the real files, the bots, a subscriber to the alerts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.settings import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATA: Final = ROOT / "data"
FILES: Final = ("rees46_multicategory_2019-10-01.csv.gz", "demo_stragglers.csv")
BOTS: Final = "demo_bots.json"
FOLDER: Final = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Where things are in S3."""

    sources: tuple[str, ...]
    bots: str
    labels: str


def stage(s3: "S3Client", bucket: str, data: Path = DATA) -> Staged:
    """Put the files and the bots into the raw bucket."""
    for name in (*FILES, BOTS):
        s3.upload_file(str(data / name), bucket, f"{FOLDER}/{name}")
    at = f"s3://{bucket}/{FOLDER}"
    return Staged(
        sources=tuple(f"{at}/{name}" for name in FILES),
        bots=f"{at}/{BOTS}",
        labels=f"s3://{bucket}/labels/{FOLDER}.json",
    )


def read_labels(s3: "S3Client", url: str) -> Mapping[str, bool]:
    """Return for each planted user whether it has to be reported."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return {label["user_id"]: label["should_alert"] for label in json.loads(body)["bots"]}
