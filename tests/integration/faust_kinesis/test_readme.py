import re
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.emulator import ROOT, Emulator, stop_group, wait_until
from tests.integration.faust_kinesis.harness import Stream

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(90)]
README = ROOT / "libs" / "faust_kinesis" / "README.md"


def example() -> str:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_readmes_example_runs_as_it_stands(emulator: Emulator, tmp_path: Path) -> None:
    clicks, loud = Stream(emulator, f"clicks-{uuid4().hex[:8]}"), Stream(emulator, f"loud-{uuid4().hex[:8]}")
    for made in (clicks, loud):
        emulator.client("kinesis").create_stream(StreamName=made.name, ShardCount=2)
    source = example().replace('"clicks"', f'"{clicks.name}"').replace('"loud-clicks"', f'"{loud.name}"')
    source = source.replace('"counter"', f'"counter-{uuid4().hex[:8]}"')
    (tmp_path / "counter.py").write_text(source)
    clicks.send(["a", "b", "c"])
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "counter.py", "worker", "--without-web"],
            cwd=tmp_path,
            env=emulator.process_env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: sorted(loud.contents()) == ["A", "B", "C"], 30, f"the example, log {tmp_path / 'log'}")
    finally:
        stop_group(process, signal.SIGTERM)
