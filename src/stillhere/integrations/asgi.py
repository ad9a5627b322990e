"""Health probes for any ASGI application: ``app = HealthProbes(app, Health(engine.sync_engine))``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from stillhere.observe.health import Answer, Health
from stillhere.observe.probes import HEADERS, Probe, body, probe_at, status_code

__all__ = ["HealthProbes"]

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_Application: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class HealthProbes:
    """Answers ``/livez``, ``/readyz`` and ``/startupz``, and passes everything else on. Never blocks the event loop.

    Args:
        application: the ASGI application, such as a FastAPI or Starlette one.
        health: of this process.
        prefix: put before the three paths, such as ``"/internal"``.
    """

    def __init__(self, application: _Application, health: Health, *, prefix: str = "") -> None:
        self._application = application
        self._health = health
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer a probe, or let the application answer."""
        probe = probe_at(scope.get("method", ""), scope["path"], self._prefix) if scope["type"] == "http" else None
        if probe is None:
            await self._application(scope, receive, send)
            return
        answer = await self._answer(probe)
        text = body(answer)
        headers = [*HEADERS, ("Content-Length", str(len(text)))]
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status_code(answer), "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

    async def _answer(self, probe: Probe) -> Answer:
        match probe:
            case Probe.LIVE:
                return self._health.live()
            case Probe.READY:
                return await self._health.ready_async()
            case Probe.STARTUP:
                return await self._health.startup_async()
