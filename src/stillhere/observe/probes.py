"""What a probe over HTTP gets: the three paths, shared by WSGI and ASGI."""

from __future__ import annotations

import json
from enum import Enum

from stillhere.observe.health import Answer

__all__ = ["HEADERS", "Probe", "body", "probe_at", "status_code"]

HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
"""Sent with every answer: what was true a second ago is no answer to the next probe."""


class Probe(Enum):
    """The three questions, by the path at which each is asked."""

    LIVE = "/livez"
    READY = "/readyz"
    STARTUP = "/startupz"


def probe_at(method: str, path: str, prefix: str) -> Probe | None:
    """The probe that a request asks; ``None`` where it is the application's."""
    if method not in {"GET", "HEAD"} or not path.startswith(prefix):
        return None
    try:
        return Probe(path[len(prefix) :])
    except ValueError:
        return None


def status_code(answer: Answer) -> int:
    """200, or 503."""
    return 200 if answer.good else 503


def body(answer: Answer) -> bytes:
    """JSON, ending in a line feed for whoever reads it in a terminal."""
    return json.dumps(answer.as_json()).encode() + b"\n"
