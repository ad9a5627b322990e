"""Measuring how long an idle connection lasts: leave several alone, and see when and how they end.

What is closed or reset shows on the socket by itself, to the second. What is silently dropped shows only when it is
used, so that each connection is used once, after a longer idle time than the one before.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere.doctor.idling import End, IdleLimit
from stillhere.drivers import DRIVERS
from stillhere.drivers.base import Driver
from stillhere.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["how_it_ended", "measure_idle"]

_STEPS = 8
_ERROR, _HEADER = 0xFF, 4


@dataclass(slots=True)
class _Idler:
    """One connection that is left alone, and when it is to be used."""

    connection: Any
    descriptor: int
    due: float


def measure_idle(
    url: URL, seconds: float, *, timeout: float = 5.0, opened: Callable[[], object] = lambda: None
) -> IdleLimit:
    """Leave eight connections idle for up to ``seconds`` and see what becomes of them.

    Each of those that the server or the way cuts counts as an aborted client on the server.

    Args:
        url: as `stillhere.survey.login.target` gives it.
        seconds: how long to watch.
        timeout: seconds to wait for an answer before the connection counts as silent.
        opened: called once all of them are open and left alone.

    Raises:
        ConfigurationError: the driver's socket can't be looked at.
        Exception: the driver's own, where it can't connect.
    """
    dbapi: Any = url.get_dialect().import_dbapi()
    driver = next((one for one in DRIVERS if one.module == dbapi.__name__), None)
    if driver is None:
        raise ConfigurationError(f"--measure-idle needs a URL for PyMySQL or mysqlclient, not {url.drivername}")
    args, kwargs = url.get_dialect()().create_connect_args(url)
    kwargs.update(connect_timeout=max(1, round(timeout)), read_timeout=max(1, round(timeout)))
    idlers: list[_Idler] = []
    start = time.monotonic()
    try:
        for step in range(1, _STEPS + 1):
            connection = dbapi.connect(*args, **kwargs)
            idlers.append(_Idler(connection, driver.descriptor(connection), start + seconds * step / _STEPS))
        opened()
        return _watch(idlers, driver, start, seconds, kwargs["read_timeout"])
    finally:
        for one in idlers:
            with contextlib.suppress(dbapi.Error):
                one.connection.close()


def _watch(idlers: list[_Idler], driver: Driver, start: float, seconds: float, timeout: float) -> IdleLimit:
    lasted = 0.0
    for place, one in enumerate(idlers):
        ended = _first_end(idlers[place:], one.due)
        now = time.monotonic() - start
        if ended is not None:
            how, code = how_it_ended(_last_words(ended.descriptor))
            return IdleLimit(watched=seconds, lasted=lasted, ended=now, how=how, code=code, opened=len(idlers))
        failed = _use(one, driver, timeout)
        if failed is not None:
            return IdleLimit(watched=seconds, lasted=lasted, ended=now, how=failed, opened=len(idlers))
        lasted = now
    return IdleLimit(watched=seconds, lasted=lasted, opened=len(idlers))


def _first_end(idlers: list[_Idler], until: float) -> _Idler | None:
    """The first connection on whose socket anything shows; nothing where none does in time."""
    poll = select.poll()
    for one in idlers:
        poll.register(one.descriptor, select.POLLIN)
    shown = poll.poll(max(0.0, until - time.monotonic()) * 1000)
    numbers = {number for number, _ in shown}
    return next((one for one in idlers if one.descriptor in numbers), None)


def _use(one: _Idler, driver: Driver, timeout: float) -> End | None:
    """How the connection ends when it is used; nothing where it doesn't.

    An error that comes before the time is up is an end that came in the moment between looking and using.
    """
    began = time.monotonic()
    try:
        driver.fetch(one.connection, b"SELECT 1")
    except driver.dbapi.Error as error:
        silent = driver.is_read_timeout(error, time.monotonic() - began, timeout)
        return End.SILENCE if silent else End.CLOSED
    return None


def _last_words(descriptor: int) -> bytes | None:
    """What was said before the end, unread; ``None`` for a reset."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            return duplicate.recv(512, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return None


def how_it_ended(words: bytes | None) -> tuple[End, int]:
    """What the last bytes on a socket mean, and the error number that they carry.

    Args:
        words: what can be read; empty at the end of the stream, ``None`` for a reset.
    """
    if words is None:
        return End.RESET, 0
    if not words:
        return End.CLOSED, 0
    # A packet: three bytes of length, a sequence number, then 0xFF and the error's number, lowest byte first. Under
    # TLS it can't be read, and is still the server's: nobody else has the key.
    body = words[_HEADER:]
    code = int.from_bytes(body[1:3], "little") if body[:1] == bytes([_ERROR]) else 0
    return End.FAREWELL, code
