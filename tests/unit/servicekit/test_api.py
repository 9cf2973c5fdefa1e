import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry

from servicekit.api import MAX_BODY_BYTES, build_api
from servicekit.clock import ManualClock
from servicekit.health import Health
from servicekit.metrics import ServiceMetrics


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(timedelta(seconds=5), clock, check_timeout=timedelta(seconds=0.05))


@pytest.fixture
async def client(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    metrics = ServiceMetrics("shop")
    metrics.records("stored", 3)
    async with _client(build_api("shop", health, metrics.registry)) as client:
        yield client


def _client(api: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://shop")


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_ready_answers_503_while_a_dependency_does_not_answer(
    path: str, client: httpx.AsyncClient, health: Health
) -> None:
    health.add_check("table", asyncio.Event().wait)
    response = await client.get(path)
    assert response.status_code == 503
    assert response.json() == {"live": True, "ready": False, "checks": {"table": "no answer in 0.05 s"}}


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
async def test_a_healthy_service_answers_200(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(path)).status_code == 200


async def test_live_answers_503_only_while_the_loop_does_not_turn(
    client: httpx.AsyncClient, health: Health, clock: ManualClock
) -> None:
    health.add_check("table", asyncio.Event().wait)
    assert (await client.get("/health/live")).status_code == 200
    clock.advance(timedelta(seconds=6))
    assert (await client.get("/health/live")).status_code == 503
    health.beat()
    assert (await client.get("/health/live")).json() == {"live": True}


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'shop_records_total{outcome="stored"} 3.0' in response.text.splitlines()


async def test_a_registry_can_be_made_for_each_scrape(health: Health) -> None:
    made: list[CollectorRegistry] = []

    def make() -> CollectorRegistry:
        made.append(CollectorRegistry())
        return made[-1]

    async with _client(build_api("shop", health, make)) as client:
        await client.get("/metrics")
        await client.get("/metrics")
    assert len(made) == 2


async def test_every_link_of_the_first_page_leads_somewhere(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert {"/docs", "/health", "/metrics"} <= set(links)
    for link in links:
        assert (await client.get(link)).status_code == 200


@pytest.mark.parametrize(("body", "code"), [(b" " * MAX_BODY_BYTES, 200), (b" " * (MAX_BODY_BYTES + 1), 413)])
async def test_a_body_that_is_too_long_is_refused_whether_or_not_it_says_so(
    body: bytes, code: int, health: Health
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    api = build_api("shop", health, CollectorRegistry())

    @api.post("/orders")
    async def take(request: Request) -> int:
        return len(await request.body())

    async with _client(api) as client:
        answers = [await client.post("/orders", content=content) for content in (body, pieces())]
    assert [answer.status_code for answer in answers] == [code, code]
