"""`docker compose up --wait`, then `docker compose run producer`: alerts, exact counts, and all within its limits."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import compose
from tests.containers.engine import inspect
from tests.containers.platform import SERVICES, Platform
from tests.containers.prometheus import gathering
from tests.containers.test_observability import DASHBOARDS, names, queries
from tests.observed import BAD_ROWS, LATE_ROWS, SAMPLE_ROWS, hold_to_the_exact_answer
from tests.untested import skip_promise

KILLED = 128 + 9
NOTHING_YET = {"producer_records_total", "detector_daemon_restarts_total"}
"""Of a replay by command line, which is another container, and of no daemon that ended."""
pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        platform.replay_from_command_line(speed=1000)
        platform.until_accounted(events(platform), timeout_s=180)
        yield platform


def events(platform: Platform) -> int:
    return SAMPLE_ROWS + BAD_ROWS + LATE_ROWS + sum(int(label["actions"]) for label in platform.labels())


def fast(platform: Platform) -> set[str]:
    return {label["user_id"] for label in platform.labels() if label["should_alert"]}


def test_every_event_of_a_replay_is_counted_exactly_or_set_aside(played: Platform) -> None:
    hold_to_the_exact_answer(played, events(played), fast(played))


def test_every_fast_bot_is_told_exactly_once(played: Platform) -> None:
    played.collect()
    assert Counter(alert.user_id for alert in played.messages) == dict.fromkeys(fast(played), 1)


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_pages_answer_on_this_machine(played: Platform, service: str) -> None:
    for page in ("/docs", "/health", "/health/live", "/metrics"):
        assert httpx.get(played.url(service) + page, follow_redirects=True).status_code == httpx.codes.OK, page


@pytest.mark.parametrize("service", [name for name, given in compose.services().items() if "profiles" not in given])
def test_a_container_has_the_limits_that_the_file_gives(played: Platform, service: str) -> None:
    given = inspect("container", played.container(service).name)["HostConfig"]
    size = compose.size(service)
    assert (given["NanoCpus"], given["Memory"]) == (size.cpu * 1_000_000_000 // 1024, size.memory * 2**20)
    assert given["MemorySwap"] == given["Memory"]
    assert given["ReadonlyRootfs"] is True
    assert given["CapDrop"] == ["ALL"]


@pytest.mark.parametrize("service", ["emulator", "firehose", *SERVICES])
def test_a_replay_leaves_a_container_healthy_and_never_restarted(played: Platform, service: str) -> None:
    container = played.container(service)
    assert container.is_healthy()
    assert container.restarts() == 0
    assert container.state()["OOMKilled"] is False


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_that_wants_more_memory_than_the_limit_is_killed_and_the_service_goes_on(
    played: Platform, service: str
) -> None:
    wanted = compose.size(service).memory * 2**20
    ended = played.container(service).run("python", "-c", f"b'x' * {wanted}")
    assert ended.returncode == KILLED, ended
    assert played.container(service).is_healthy()


def test_every_query_of_the_dashboards_finds_series_in_a_prometheus_that_gathers_the_platform(
    played: Platform, tmp_path: Path
) -> None:
    program = shutil.which("prometheus")
    if program is None:
        skip_promise("the dashboards' queries find series", missing="prometheus (Debian: the package prometheus)")
    addresses = {named(name): f"127.0.0.1:{played.ports[name]}" for name in SERVICES}
    with gathering(program, addresses, tmp_path) as prometheus:
        empty = {query for path in DASHBOARDS for query in queries(path) if not prometheus.query(query)}
    assert {name for query in empty for name in names(query)} <= NOTHING_YET


def named(service: str) -> str:
    return f"{service}:{compose.environment(service)[f'{service.upper()}_PORT']}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_log_line_of_a_service_is_json(played: Platform, service: str) -> None:
    for line in played.container(service).log_end(lines=1000).splitlines():
        assert re.fullmatch(r"\{.*\}", line), line
