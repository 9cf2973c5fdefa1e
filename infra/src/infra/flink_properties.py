"""The job's property groups: those of flink/application_properties.json, for one deployment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.names import STREAM_1, STREAM_2, Names

FILE: Final = Path(__file__).resolve().parents[3] / "flink" / "application_properties.json"


def bad_events_stream(names: Names) -> str:
    """Return the stream that the job writes bad events to."""
    return f"{names.prefix}-flink-bad-events"


def property_groups(names: Names) -> dict[str, Mapping[str, str]]:
    """Return every group by its name; account, region and what carries the deployment's name are put in."""
    streams = {"stream_1": STREAM_1, "stream_2": STREAM_2, "bad_events": bad_events_stream(names)}
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(FILE.read_text())}
    for name, stream in streams.items():
        groups[name] |= {"stream.arn": names.stream_arn(stream), "aws.region": names.region}
    return groups
