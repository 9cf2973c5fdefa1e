import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

from tests.unit.servicekit.processes import sample


def healthcheck(*arguments: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "servicekit.healthcheck", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_live_service_is_found_by_its_name_or_its_url() -> None:
    with sample() as running:
        url = running.wait_for("http_listening")["url"]
        assert healthcheck(f"{url}/health/live") == (0, "")
        assert healthcheck(SERVICE="sample", SAMPLE_PORT=str(urlsplit(url).port)) == (0, "")
        assert healthcheck(f"{url}/no/such/page")[0] == 1


def test_a_service_that_does_not_listen_is_unhealthy() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, told = healthcheck(f"http://127.0.0.1:{unused.getsockname()[1]}/health/live")
    assert code == 1
    assert "refused" in told


def test_something_that_speaks_no_http_is_unhealthy() -> None:
    assert healthcheck("not a url")[0] == 1


def test_without_a_name_or_a_url_it_says_what_to_set() -> None:
    code, told = healthcheck(SERVICE="")
    assert code == 1
    assert "SERVICE is not set" in told
    code, told = healthcheck(SERVICE="sample", SAMPLE_PORT="any")
    assert code == 1
    assert "SAMPLE_PORT is not set, or no number" in told
