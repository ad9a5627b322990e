"""How the application answers a request that failed, and what it tells about the exception.

The same in every arm: 503 with ``Retry-After`` while the database is away and stillhere says so, 413 for what
is too large to store, else 500. The JSON lets the drill tell an exception that names what happened from one
that comes raw out of the driver.
"""

from __future__ import annotations

import math
from typing import Any

from flask import Response, jsonify
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from stillhere.errors import PacketTooLarge, ServerUnavailable, StillhereError
from stillhere.server.errorcodes import is_loss, waitable_at_connect

__all__ = ["answer", "describe"]

_NOTE = "stillhere:"
_DRIVERS = frozenset({"MySQLdb", "pymysql"})


def answer(error: Exception) -> Response | HTTPException:
    """The response to a request that ended in this exception."""
    if isinstance(error, HTTPException):
        return error
    inner = _inner(error)
    response = jsonify(describe(error))
    response.status_code = 500
    if isinstance(inner, ServerUnavailable):
        response.status_code = 503
        response.headers["Retry-After"] = str(max(1, math.ceil(inner.retry_after)))
    elif isinstance(inner, PacketTooLarge):
        response.status_code = 413
    return response


def describe(error: Exception) -> dict[str, Any]:
    """What a client is told about an exception.

    ``named`` is true for stillhere's own exceptions and for those that carry its note; ``raw`` for an error
    of the driver that says no more than that a connection is lost or can't be had.
    """
    inner = _inner(error)
    code = inner.args[0] if inner.args else None
    named = isinstance(inner, StillhereError) or any(
        note.startswith(_NOTE) for one in (error, inner) for note in getattr(one, "__notes__", ())
    )
    of_driver = isinstance(error, DBAPIError) or type(inner).__module__.partition(".")[0] in _DRIVERS
    return {
        "error": type(inner).__name__,
        "code": code if isinstance(code, int | str) else None,
        "message": str(inner)[:200],
        "named": named,
        "raw": not named and of_driver and _is_about_connection(error, code),
    }


def _is_about_connection(error: Exception, code: object) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(code, int) and (is_loss(code, None) or waitable_at_connect(code, None))


def _inner(error: BaseException) -> BaseException:
    """The driver's exception inside SQLAlchemy's, or the exception itself."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error
