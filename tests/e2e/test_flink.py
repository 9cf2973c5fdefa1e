"""The Flink job in the windower's place: stream 1, the job, stream 2, detector, alerts; or a clear word why not."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.emulator import ROOT

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(900)]

JAR = ROOT / "flink/target/pyflink-dependencies.jar"


def make(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own Makefile
        ["make", *arguments],  # noqa: S607 - make is on the path
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether the job is packaged with its connector, or could be just now."""
    return JAR.exists() or make("flink-package", folder=tmp_path_factory.mktemp("package")).returncode == 0


def test_the_demo_on_flink_accounts_for_every_event_and_finds_every_bot(packaged: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a fixture
    if not packaged:
        pytest.skip(
            "Maven cannot get org.apache.flink:flink-connector-aws-kinesis-streams here: see make flink-package"
        )
    ended = make("demo", "ENGINE=flink", "SPEED=300", folder=tmp_path)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "every event is accounted for, every fast bot was found" in ended.stdout


def test_without_its_connector_the_demo_on_flink_says_so_and_starts_nothing(packaged: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a fixture
    if packaged:
        pytest.skip("the connector is there")
    ended = make("demo", "ENGINE=flink", folder=tmp_path)
    assert ended.returncode != 0
    assert "the jar of its Kinesis connector is not there" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
