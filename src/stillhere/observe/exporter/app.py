"""The exporter's pages: ``/metrics``, ``/probe?target=…``, ``/targets``."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector as Source
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from stillhere.errors import ConfigurationError
from stillhere.observe.exporter.scrape import merged, of_itself, scrape
from stillhere.observe.exporter.targets import Target, Targets
from stillhere.survey.login import address_of, login

__all__ = ["make_app"]

_THREADS = 64
_MARGIN = 0.5
_SHORTEST = 0.5


class _Pages:
    def __init__(self, targets: Callable[[], Targets], timeout: float) -> None:
        self._targets = targets
        self._timeout = timeout
        # A frozen server holds one of these for as long as its driver waits; the others go on.
        self._threads = ThreadPoolExecutor(_THREADS, "stillhere-export")

    async def metrics(self, request: Request) -> Response:
        """All targets on one page, side by side; meant for a handful."""
        targets = tuple(self._targets().named.values())
        timeout = self._timeout_of(request)
        found = await asyncio.gather(*(self._scrape(target, timeout) for target in targets))
        return _page(merged(zip((target.name for target in targets), found, strict=True)))

    async def probe(self, request: Request) -> Response:
        """One target."""
        name = request.query_params.get("target", "")
        if not name:
            return PlainTextResponse("which one? ask for /probe?target=NAME\n", 400)
        try:
            target = self._targets().find(name)
        except ConfigurationError as error:
            return PlainTextResponse(f"{error}\n", 404)
        return _page(await self._scrape(target, self._timeout_of(request)))

    async def targets(self, request: Request) -> Response:
        """For Prometheus's http_sd_configs: each target, asked through this exporter."""
        here = request.headers.get("host", "")
        return JSONResponse(
            [
                {
                    "targets": [here],
                    "labels": {"__metrics_path__": "/probe", "__param_target": one.name, "instance": one.name}
                    | dict(one.labels),
                }
                for one in self._targets().named.values()
            ]
        )

    async def index(self, _request: Request) -> Response:
        """What there is."""
        rows = "".join(
            f'<li><a href="probe?target={html.escape(name)}">{html.escape(name)}</a></li>'
            for name in self._targets().named
        )
        return HTMLResponse(
            "<!doctype html><html lang=en><meta charset=utf-8><title>stillhere export</title>"
            f"<h1>stillhere export</h1><p><a href=metrics>metrics</a>, <a href=targets>targets</a></p><ul>{rows}</ul>"
        )

    async def _scrape(self, target: Target, seconds: float) -> list[Metric]:
        opening = partial(login, target.url, timeout=seconds)
        work = partial(scrape, opening, address_of(target.url))
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(asyncio.shield(running), seconds)
        except TimeoutError:
            return of_itself(seconds, "timeout")

    def _timeout_of(self, request: Request) -> float:
        """A little less than Prometheus will wait, as it tells in a header."""
        try:
            told = float(request.headers["x-prometheus-scrape-timeout-seconds"]) - _MARGIN
        except (KeyError, ValueError):
            return self._timeout
        return max(_SHORTEST, min(told, self._timeout))


def make_app(targets: Callable[[], Targets], *, timeout: float = 5.0) -> Starlette:
    """The ASGI application.

    Args:
        targets: gives those of now, for each request.
        timeout: seconds that a scrape may take; Prometheus's own where that is less.
    """
    pages = _Pages(targets, timeout)

    async def unusable(_request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"{error}\n", 500)

    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/metrics", pages.metrics),
            Route("/probe", pages.probe),
            Route("/targets", pages.targets),
        ],
        exception_handlers={ConfigurationError: unusable},
    )


class _Fixed(Source):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """What was scraped."""
        return self._metrics


def _page(metrics: list[Metric]) -> Response:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fixed(metrics))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
