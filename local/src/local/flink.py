"""The Flink job in the windower's place: LOCAL_ENGINE=flink.

AWS gives the job its settings (infra/src/infra/flink_stack.py); here they are the same ones, from the same file, with
the emulator's address. Its bad events go to a stream of their own, and `local.pipe` carries them to the queue, as a
pipe does in AWS.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.account import ACCOUNT, REGION
from local.errors import LocalError
from local.settings import ROOT

FOLDER: Final = ROOT / "flink"
PYTHON: Final = FOLDER / ".venv" / "bin" / "python"
JAR: Final = FOLDER / "target" / "pyflink-dependencies.jar"
BAD_EVENTS_STREAM: Final = "storepulse-local-flink-bad-events"
STREAMS: Final = {
    "stream_1": "ecommerce-raw-user-activity-stream-1",
    "stream_2": "ecommerce-raw-user-activity-stream-2",
    "bad_events": BAD_EVENTS_STREAM,
}
#: What only the job here needs. HTTP/1.1, as the emulator ends an HTTP/2 connection after a number of requests.
EMULATED: Final = {
    "aws.credentials.provider": "BASIC",
    "aws.credentials.basic.accesskeyid": "test",
    "aws.credentials.basic.secretkey": "test",
}
SINK: Final = {"sink.http-client.protocol.version": "HTTP1_1"}
LOCAL: Final = {
    "parallelism.default": "1",
    "execution.checkpointing.interval": "10 s",
    "jobmanager.bind-host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
}
#: Its log is the process's output.
ENVIRONMENT: Final = {
    "JAVA_TOOL_OPTIONS": "-Daws.cborEnabled=false",
    "LOG4J_PROPERTIES": str(FOLDER / "log4j.properties"),
}
#: Is in its log when it begins to read.
READING: Final = "Adding split(s) to reader"


def require(*, python: Path = PYTHON, jar: Path = JAR) -> None:
    """Do nothing when the job can run here.

    Raises:
        LocalError: saying what is missing and how to get it.
    """
    if not python.exists():
        message = "The Flink job cannot run: its environment is not there. Run `make flink-setup` (800 MB)."
        raise LocalError(message)
    if not jar.exists():
        message = (
            "The Flink job cannot run: the jar of its Kinesis connector is not there. Run `make flink-package`. If "
            "Maven cannot get flink-connector-aws-kinesis-streams, as some mirrors lack it, use the windower here."
        )
        raise LocalError(message)


def write_properties(path: Path, endpoint_url: str, kept: Mapping[str, str] | None = None) -> Path:
    """Write the property file of a job that reads and writes the emulator at `endpoint_url`.

    Args:
        path: the file; its folder is made.
        endpoint_url: of the emulator.
        kept: settings of where it keeps what it goes on from; without them a new process begins anew.
    """
    file = json.loads((FOLDER / "application_properties.json").read_text())
    groups: dict[str, Mapping[str, Any]] = {each["PropertyGroupId"]: each["PropertyMap"] for each in file}
    for name, stream in STREAMS.items():
        groups[name] = {
            **groups[name],
            **EMULATED,
            **({} if name == "stream_1" else SINK),
            "stream.arn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
            "aws.region": REGION,
            "aws.endpoint": endpoint_url,
        }
    groups["Local"] = {**LOCAL, **(kept or {})}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()]))
    return path


def command(properties: Path) -> list[str]:
    """Return what runs the job."""
    return [str(PYTHON), str(FOLDER / "main.py"), str(properties)]
