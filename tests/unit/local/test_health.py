import json
import subprocess
import sys

from local.health import answers, failed_checks, problem
from tests.emulator import ROOT, free_port


def test_a_port_that_nobody_listens_on_does_not_answer() -> None:
    url = f"http://127.0.0.1:{free_port()}/health/ready"
    assert not answers(url)
    assert problem(url) == "does not answer"


def test_the_failing_checks_of_a_report_are_named() -> None:
    report = {"live": True, "ready": False, "checks": {"kinesis": "ok", "dynamodb": "connection refused"}}
    assert failed_checks(json.dumps(report).encode()) == "dynamodb: connection refused"


def test_a_body_that_is_no_report_has_no_checks() -> None:
    assert [failed_checks(body) for body in (b"", b"oops", b"[]", b'{"checks": 3}')] == [None] * 4


def test_as_a_command_it_fails_and_says_why_when_nothing_answers() -> None:
    asked = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "local.health", f"http://127.0.0.1:{free_port()}"],
        cwd=ROOT / "local" / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stderr) == (1, "does not answer\n")
