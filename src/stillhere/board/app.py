"""The page and its live data: ``/``, ``/state``, ``/events``, and ``/kill`` where that was allowed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from stillhere.board.guard import Guard
from stillhere.board.view import server_view
from stillhere.board.watcher import Watcher
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["Board", "make_app"]

_FILES = {
    "/": ("board.html", "text/html; charset=utf-8"),
    "/board.css": ("board.css", "text/css; charset=utf-8"),
    "/board.js": ("board.js", "text/javascript; charset=utf-8"),
}
_HEARTBEAT = 10.0


@dataclass(frozen=True, slots=True)
class Board:
    """What the page shows.

    Attributes:
        watchers: one for each server, started.
        incidents: the latest losses as JSON objects, newest first; ``None`` where they were not asked for.
        openings: how to log in to each server, by address, for KILL; empty where that is not allowed.
        title: above the page.
    """

    watchers: Sequence[Watcher]
    incidents: Callable[[], list[dict[str, Any]]] | None = None
    openings: dict[str, Callable[[], AbstractContextManager[Ask]]] | None = None
    title: str = "stillhere"


class _Pages:
    def __init__(self, board: Board, interval: float) -> None:
        self._board = board
        self._interval = interval
        self._secret = secrets.token_urlsafe(16)  # a form of another page can't know it
        self._ending = asyncio.Event()

    def state(self) -> dict[str, Any]:
        """Everything, as it is now."""
        board = self._board
        return {
            "title": board.title,
            "servers": [server_view(watcher.seen()) for watcher in board.watchers],
            "incidents": board.incidents() if board.incidents is not None else None,
            "kill": self._secret if board.openings else "",
        }

    async def get_state(self, _request: Request) -> Response:
        """Once, as JSON."""
        return JSONResponse(await run_in_threadpool(self.state))

    async def get_events(self, _request: Request) -> Response:
        """Again and again, as server-sent events."""
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        last, quiet = "", 0.0
        while not self._ending.is_set():
            text = json.dumps(await run_in_threadpool(self.state), separators=(",", ":"))
            if text != last or quiet >= _HEARTBEAT:
                yield f"event: state\ndata: {text}\n\n".encode()
                last, quiet = text, 0.0
            quiet += self._interval
            try:
                await asyncio.wait_for(self._ending.wait(), self._interval)
            except TimeoutError:
                continue

    async def post_kill(self, request: Request) -> Response:
        """KILL one connection of one server."""
        openings = self._board.openings
        if not openings:
            return PlainTextResponse("stillhere watch was started without --allow-kill\n", 403)
        try:
            wish = await request.json()
            address, thread, shown = str(wish["address"]), int(wish["id"]), str(wish["secret"])
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("address, id and secret are wanted\n", 400)
        if not secrets.compare_digest(shown.encode(), self._secret.encode()):
            return PlainTextResponse("not from this page\n", 403)
        if address not in openings or thread <= 0:
            return PlainTextResponse("no such server or connection\n", 404)
        said = await run_in_threadpool(partial(_kill, openings[address], thread))
        return PlainTextResponse(f"{said}\n", 409) if said else PlainTextResponse("killed\n")

    def stop(self) -> None:
        """Let the open streams end, so that the server can."""
        self._ending.set()


def _kill(opening: Callable[[], AbstractContextManager[Ask]], thread: int) -> str:
    try:
        with opening() as ask:
            ask(f"KILL CONNECTION {thread:d}")
    except NotAllowed as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the driver's: the connection is gone already, or the server is
        code = error.args[0] if error.args else ""
        return f"the server answered {code}"
    return ""


def make_app(board: Board, *, hosts: frozenset[str], token: str = "", interval: float = 1.0) -> ASGIApp:
    """The guarded ASGI application.

    Args:
        board: what to show.
        hosts: values of the Host header that mean this page.
        token: see `stillhere.board.guard.Guard`.
        interval: seconds between two states on ``/events``.
    """
    pages = _Pages(board, interval)
    folder = resources.files("stillhere.board").joinpath("static")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        pages.stop()

    def file(name: str, kind: str) -> Callable[[Request], Response]:
        content = folder.joinpath(name).read_bytes()
        return lambda _request: Response(content, media_type=kind)

    application = Starlette(
        lifespan=lifespan,
        routes=[
            *(Route(path, file(name, kind)) for path, (name, kind) in _FILES.items()),
            Route("/state", pages.get_state),
            Route("/events", pages.get_events),
            Route("/kill", pages.post_kill, methods=["POST"]),
        ],
    )
    return Guard(application, hosts, token)
