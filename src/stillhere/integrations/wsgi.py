"""Health probes for any WSGI application: ``application = HealthProbes(application, Health(engine))``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stillhere.observe.health import Answer, Health
from stillhere.observe.probes import HEADERS, Probe, body, probe_at, status_code

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["HealthProbes"]

_PHRASES = {200: "200 OK", 503: "503 Service Unavailable"}


class HealthProbes:
    """Answers ``/livez``, ``/readyz`` and ``/startupz``, and passes every other request on.

    In front of the application, so that neither its log-in nor its own errors stand between a probe and its answer.

    Args:
        application: the WSGI application.
        health: of this process.
        prefix: put before the three paths, such as ``"/internal"``.
    """

    def __init__(self, application: WSGIApplication, health: Health, *, prefix: str = "") -> None:
        self._application = application
        self._health = health
        self._prefix = prefix.rstrip("/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a probe, or let the application answer."""
        method = environ.get("REQUEST_METHOD", "GET")
        probe = probe_at(method, environ.get("PATH_INFO", ""), self._prefix)
        if probe is None:
            return self._application(environ, start_response)
        answer = self._answer(probe)
        text = body(answer)
        start_response(_PHRASES[status_code(answer)], [*HEADERS, ("Content-Length", str(len(text)))])
        return [b"" if method == "HEAD" else text]

    def _answer(self, probe: Probe) -> Answer:
        match probe:
            case Probe.LIVE:
                return self._health.live()
            case Probe.READY:
                return self._health.ready()
            case Probe.STARTUP:
                return self._health.startup()
