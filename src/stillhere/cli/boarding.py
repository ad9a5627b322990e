"""Serving the live page, in front or beside something else."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from stillhere.board.app import Board, make_app
from stillhere.board.guard import is_loopback
from stillhere.board.watcher import Watcher
from stillhere.causes.incidents import Store, Unreadable, store_path
from stillhere.cli.problems import mask, problem_of
from stillhere.doctor.case import Settings
from stillhere.doctor.examination import Instructions, examine
from stillhere.doctor.target import Target
from stillhere.findings import Finding, Severity
from stillhere.survey.login import login

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from stillhere.events import Incident

__all__ = ["Page", "incidents_of", "recent_incidents"]

_SHOWN = 500
_SPAN = timedelta(hours=1)
_HTTP = 80
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound


class Page:
    """The live page on a socket that listens. As a context manager it is served by a thread of its own.

    Args:
        listener: where.
        interval: seconds between two looks at a server.
        secret_texts: texts with passwords, which are masked in whatever drivers say.
        incidents: gives the latest losses; none are shown without it.
        allow_kill: whether the page may KILL.
        title: above the page.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        interval: float,
        secret_texts: Sequence[str] = (),
        incidents: Callable[[], list[dict[str, Any]]] | None = None,
        allow_kill: bool = False,
        title: str = "stillhere",
    ) -> None:
        self._listener = listener
        self._interval = interval
        self._secret_texts = secret_texts
        self._watchers: list[Watcher] = []
        self._openings: dict[str, Any] = {}
        self._board = Board(self._watchers, incidents, self._openings if allow_kill else None, title)
        host, port = listener.getsockname()[:2]
        self._local = is_loopback(host)
        token = "" if self._local else secrets.token_urlsafe(18)
        app = make_app(self._board, hosts=_hosts(host, port), token=token, interval=min(interval, 1.0))
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.run, name="board", daemon=True)
        name = "localhost" if self._local else _own_names(host)[0]
        self.address = f"http://{name}:{port}/" + (f"?token={token}" if token else "")

    def add(self, address: str, url: URL) -> None:
        """Watch one more server."""
        opening = partial(login, url, timeout=max(2.0, self._interval))
        watcher = Watcher(
            address,
            opening,
            interval=self._interval,
            explain=self._explain,
            examine=partial(_examined, Target(address, url)),
        )
        self._openings[address] = opening
        self._watchers.append(watcher)
        watcher.start()

    def run(self) -> None:
        """Serve until Ctrl-C, or the end of the ``with`` block."""
        try:
            self._server.run(sockets=[self._listener])
        finally:
            for watcher in self._watchers:
                watcher.stop()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(5)

    def _explain(self, error: BaseException) -> str:
        return mask(problem_of(error)[1], self._secret_texts)


def _examined(target: Target) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What the doctor finds, and what it could not check."""
    found = examine(target, Instructions(settings=Settings()))
    if found.error:
        return (), (found.error,)
    worth = tuple(one for one in found.findings if one.severity > Severity.INFO)
    return worth, tuple(f"{one.check}: {one.reason}" for one in found.not_checked)


def recent_incidents(addresses: Iterable[str]) -> Callable[[], list[dict[str, Any]]]:
    """Reads the last hour's losses of these servers from this machine's store."""
    known = {_plain(address) for address in addresses}

    def read() -> list[dict[str, Any]]:
        path = store_path()
        return _shown([] if path is None else [path], lambda one: _plain(one.server) in known)

    return read


def incidents_of(directories: Sequence[Path]) -> Callable[[], list[dict[str, Any]]]:
    """Reads the last hour's losses, of whatever servers, from the stores in these directories; more may be added."""

    def read() -> list[dict[str, Any]]:
        paths = [found for directory in tuple(directories) for found in directory.glob("*.sqlite3")]
        return _shown(paths, lambda _: True)

    return read


def _shown(paths: Sequence[Path], wanted: Callable[[Incident], bool]) -> list[dict[str, Any]]:
    found: list[Incident] = []
    for path in paths:
        try:
            found += Store(path).read(since=datetime.now(UTC) - _SPAN, limit=_SHOWN)
        except Unreadable:
            continue  # a store that can't be read is no reason to show nothing of the others
    found = sorted(filter(wanted, found), key=lambda one: one.at, reverse=True)
    return [_incident(one) for one in found[:_SHOWN]]


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "server": one.server,
        "cause": one.cause,
        "sentence": one.sentence,
        "done": one.done,
        "error": one.error,
    }


def _plain(address: str) -> str:
    """One name for this machine, which an application and this command may write differently."""
    host, colon, port = address.rpartition(":")
    return f"localhost{colon}{port}" if host in {"127.0.0.1", "::1", "[::1]"} else address


def _own_names(host: str) -> list[str]:
    """How a browser names the machine that listens on that address, the best name first."""
    if host not in _EVERYWHERE:
        return [f"[{host}]" if ":" in host else host]
    name = socket.gethostname()
    found = [name.lower(), socket.getfqdn(name).lower()]
    with contextlib.suppress(OSError):
        found += socket.gethostbyname_ex(name)[2]
    return found


def _hosts(host: str, port: int) -> frozenset[str]:
    """What a browser that was sent here writes into its Host header."""
    names = {*_own_names(host), "localhost", "127.0.0.1", "[::1]"}
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == _HTTP else frozenset())
