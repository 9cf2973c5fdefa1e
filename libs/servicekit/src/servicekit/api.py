"""The page that operates a service: health for the scheduler, metrics for the scraper, links for a person."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, HTTPException, Response, status
from fastapi.responses import HTMLResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from servicekit.health import Health, HealthReport

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{service}</title>
<h1>{service}</h1><ul><li><a href="/docs">API</a></li><li><a href="/health">Health</a></li>
<li><a href="/health/live">Live</a></li><li><a href="/health/ready">Ready</a></li>
<li><a href="/metrics">Metrics</a></li></ul></html>"""

MAX_BODY_BYTES = 256 * 1024
"""The longest request body that is read; a longer one is answered with 413."""
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class _BoundedBody:
    """Ends the reading of a body that is too long: what it says of its length is not relied on."""

    def __init__(self, app: Callable[[_Message, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        read = 0

        async def bounded() -> _Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                detail = f"the body has more than {MAX_BODY_BYTES:,} bytes"
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, detail)
            return message

        await self._app(scope, bounded, send)


def build_api(service: str, health: Health, metrics: CollectorRegistry | Callable[[], CollectorRegistry]) -> FastAPI:
    """Return a FastAPI application with `/`, `/health`, `/health/live`, `/health/ready`, `/metrics` and `/docs`.

    A service adds its own routes to it; they refuse a body of more than `MAX_BODY_BYTES`. Health answers 200 or 503
    with a `HealthReport` as JSON.

    Args:
        service: the service's name; also the title, from which `run_service` knows which setting names its port.
        health: what the service says of itself.
        metrics: a registry, or what makes one for each scrape.
    """
    api = FastAPI(title=service)
    api.add_middleware(_BoundedBody)
    _add_health(api, health)

    @api.get("/metrics", response_class=Response, tags=["operations"])
    async def show_metrics() -> Response:
        registry = metrics if isinstance(metrics, CollectorRegistry) else metrics()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @api.get("/", include_in_schema=False)
    async def show_links() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(service=service))

    return api


def _add_health(api: FastAPI, health: Health) -> None:
    unavailable: dict[int | str, dict[str, object]] = {503: {"model": HealthReport, "description": "Not so"}}

    @api.get("/health", responses=unavailable, tags=["operations"])
    @api.get("/health/ready", responses=unavailable, tags=["operations"])
    async def show_ready(response: Response) -> HealthReport:
        """Tell whether the loop turns and every dependency answers."""
        report = await health.report()
        response.status_code = _status(healthy=report.ready)
        return report

    @api.get("/health/live", responses={503: {"description": "Not so"}}, tags=["operations"])
    async def show_live(response: Response) -> dict[str, bool]:
        """Tell whether the loop turned lately; asks no dependency."""
        live = health.is_live()
        response.status_code = _status(healthy=live)
        return {"live": live}


def _status(*, healthy: bool) -> int:
    return status.HTTP_200_OK if healthy else status.HTTP_503_SERVICE_UNAVAILABLE
