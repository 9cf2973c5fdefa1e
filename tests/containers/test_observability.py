"""The files that Prometheus and Grafana read; neither's image is needed.

Grafana itself is not asked: its dashboards are held to the part of its model that they use, and each of their queries
to the metrics that the services really have.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest
import yaml
from prometheus_client import CollectorRegistry

from detector.metrics import ShardMetrics, SupervisorMetrics
from producer.metrics import ProducerMetrics
from servicekit.clock import ManualClock
from tests import compose
from tests.containers.dockerfiles import SERVICES
from tests.emulator import ROOT
from tests.untested import skip_promise
from windower.metrics import WindowerMetrics

FOLDER = ROOT / "observability"
PROMETHEUS = FOLDER / "prometheus" / "prometheus.yml"
DASHBOARDS = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
OF_PROMETHEUS = {"up"}
WORDS = {"sum", "by", "le", "rate", "histogram_quantile", "outcome", "kind", "status", "reason"}


class Source(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["prometheus"]
    uid: str


class Target(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    ref_id: str
    datasource: Source
    expr: str
    legend_format: str


class Place(msgspec.Struct, forbid_unknown_fields=True):
    x: int
    y: int
    w: int
    h: int


class Defaults(msgspec.Struct, forbid_unknown_fields=True):
    unit: str
    min: int


class Fields(msgspec.Struct, forbid_unknown_fields=True):
    defaults: Defaults
    overrides: list[object]


class Panel(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    id: int
    type: Literal["timeseries", "stat"]
    title: str
    description: str
    datasource: Source
    grid_pos: Place
    field_config: Fields
    options: dict[str, object]
    targets: list[Target]


class Span(msgspec.Struct, rename={"start": "from", "end": "to"}):
    start: str
    end: str


class Dashboard(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    uid: str
    title: str
    tags: list[str]
    schema_version: int
    version: int
    editable: bool
    refresh: str
    time: Span
    timezone: str
    graph_tooltip: int
    annotations: dict[str, list[object]]
    templating: dict[str, list[object]]
    panels: list[Panel]


EACH = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def dashboard(path: Path) -> Dashboard:
    return msgspec.json.decode(path.read_bytes(), type=Dashboard)


def queries(path: Path) -> Iterator[str]:
    for panel in dashboard(path).panels:
        yield from (target.expr for target in panel.targets)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all samples that the services can show."""
    clock = ManualClock()
    shards = ShardMetrics(clock, CollectorRegistry())
    supervisor = SupervisorMetrics(tmp_path_factory.mktemp("metrics"), clock)
    registries = (ProducerMetrics().registry, WindowerMetrics().registry, shards.registry, supervisor.registry)
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    families = [family for registry in registries for family in registry.collect()]
    return OF_PROMETHEUS | {family.name + suffix for family in families for suffix in suffixes[family.type]}


def names(query: str) -> set[str]:
    """Return the metrics of a query: its words but for labels, strings and functions."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\d+\.?\d*", " ", query)
    return set(re.findall(r"[a-z_]\w*", bare)) - WORDS


@EACH
def test_every_query_of_a_dashboard_asks_for_metrics_that_a_service_has(path: Path, known: set[str]) -> None:
    for query in queries(path):
        assert names(query), query
        assert names(query) <= known, query


@EACH
def test_a_dashboard_shows_lag_record_age_windows_alerts_and_bad_events_by_service(
    path: Path,
) -> None:
    shown = {name for query in queries(path) for name in names(query)}
    assert shown >= {f"{service}_records_total" for service in SERVICES}
    assert shown >= {f"{reader}_millis_behind_latest" for reader in ("windower", "detector")}
    assert shown >= {f"{reader}_record_age_seconds_bucket" for reader in ("windower", "detector")}
    assert shown >= {"windower_windows_total", "detector_windows_total", "detector_alerts_total"}
    bad = " ".join(query for query in queries(path) if "bad" in query)
    assert all(f"{service}_records_total" in bad for service in SERVICES)


@EACH
def test_the_panels_of_a_dashboard_have_ids_of_their_own_and_do_not_overlap(path: Path) -> None:
    panels = dashboard(path).panels
    assert len({panel.id for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel.grid_pos for panel in panels)
        for x in range(place.x, place.x + place.w)
        for y in range(place.y, place.y + place.h)
    ]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < 24 for x, _ in cells)


@EACH
def test_the_targets_of_a_panel_have_letters_of_their_own(path: Path) -> None:
    for panel in dashboard(path).panels:
        assert len({target.ref_id for target in panel.targets}) == len(panel.targets) > 0


@EACH
def test_a_dashboard_asks_the_source_that_is_provisioned(path: Path) -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    for panel in dashboard(path).panels:
        assert {panel.datasource.uid, *(target.datasource.uid for target in panel.targets)} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"


def test_grafana_is_given_the_folders_that_it_is_told_of() -> None:
    (provider,) = yaml.safe_load((FOLDER / "grafana/provisioning/dashboards/storepulse.yml").read_text())["providers"]
    folder = provider["options"]["path"]
    mounts = dict(mount.split(":")[:2] for mount in compose.services()["grafana"]["volumes"])
    assert mounts["./observability/grafana/dashboards"] == folder
    assert mounts["./observability/grafana/provisioning"] == "/etc/grafana/provisioning"
    home = compose.environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {f"{folder}/{path.name}" for path in DASHBOARDS}


def test_prometheus_asks_every_service_where_it_listens() -> None:
    asked = {
        target
        for job in yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }
    assert asked == {f"{name}:{compose.environment(name)[f'{name.upper()}_PORT']}" for name in SERVICES}


def test_promtool_finds_nothing() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        skip_promise("Prometheus accepts its configuration", missing="promtool (Debian: the package prometheus)")
    done = subprocess.run(  # noqa: S603 - an installed program
        [promtool, "check", "config", PROMETHEUS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
