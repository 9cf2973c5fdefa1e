"""A real Prometheus, where Debian's package has installed one, with the platform's own configuration."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.emulator import ROOT, free_port, start_group, stop_group, wait_until

CONFIGURATION = ROOT / "observability" / "prometheus" / "prometheus.yml"
SCRAPES = 3  # a rate needs two


class Prometheus:
    """One that gathers; `query` asks it."""

    def __init__(self, url: str) -> None:
        """Ask at `url`."""
        self._client = httpx.Client(base_url=url, timeout=10)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; none while nothing answers."""
        try:
            reply = self._client.get("/api/v1/query", params={"query": expression}).json()
        except httpx.TransportError:
            return []
        assert reply["status"] == "success", reply
        found: list[dict[str, Any]] = reply["data"]["result"]
        return found

    def has_gathered(self, jobs: int) -> bool:
        """Say whether each of so many jobs was scraped often enough."""
        often = self.query(f"count(sum_over_time(up[10m]) >= {SCRAPES})")
        return bool(often) and float(often[0]["value"][1]) == jobs

    def close(self) -> None:
        """Ask no more."""
        self._client.close()


@contextmanager
def gathering(program: str, addresses: Mapping[str, str], folder: Path) -> Iterator[Prometheus]:
    """Yield a Prometheus that has gathered from `addresses`, each in the place of one that the configuration names."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    for named, real in addresses.items():
        assert named in text
        text = text.replace(named, real)
    file = folder / "prometheus.yml"
    file.write_text(text, encoding="utf-8")
    port = free_port()
    listen, keep = f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'data'}"
    process = start_group([program, f"--config.file={file}", listen, keep], folder / "prometheus.log", dict(os.environ))
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: prometheus.has_gathered(len(addresses)), 90, "every service was scraped", 0.5)
        yield prometheus
    finally:
        prometheus.close()
        stop_group(process, signal.SIGTERM)
