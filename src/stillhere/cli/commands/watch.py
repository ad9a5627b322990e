"""``stillhere watch URL…``: the live page."""

from __future__ import annotations

import secrets
import webbrowser
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhere.cli.listening import bound, listen_address
from stillhere.cli.problems import mask, problem_of
from stillhere.cli.render import messages
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL

    from stillhere.board.watcher import Watcher
    from stillhere.events import Incident

__all__ = ["register"]

_SHORTEST = 0.5


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("watch")(watch)


def watch(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="SQLAlchemy URLs of servers.")],
    *,
    incidents: Annotated[bool, typer.Option("--incidents", help="Show the losses recorded on this machine.")] = False,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:8306",
    interval: Annotated[str, typer.Option(metavar="DURATION", help="Between two looks at a server.")] = "2s",
    allow_kill: Annotated[bool, typer.Option("--allow-kill", help="Let the page KILL connections.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Show servers' connections on a live web page, until Ctrl-C.

    One connection a server is held and asked every two seconds. The page changes nothing, unless --allow-kill lets it.
    On another address than loopback it asks for the token that is printed; whoever has that sees accounts and hosts.
    """
    from stillhere.survey.login import address_of, target  # noqa: PLC0415 - keeps --help quick

    seconds = parse_duration("--interval", interval)
    if seconds < _SHORTEST:
        raise ConfigurationError(f"--interval: {interval} is too often; half a second at the least")
    targets = {address_of(url): url for url in map(target, urls)}
    if len(targets) < len(urls):
        raise ConfigurationError("two of the URLs are of one address; name each server once")
    host, port = listen_address(listen)
    _serve(targets, host, port, seconds, urls, incidents=incidents, allow_kill=allow_kill, open_page=open_page)


def _serve(
    targets: dict[str, URL],
    host: str,
    port: int,
    seconds: float,
    secret_texts: list[str],
    *,
    incidents: bool,
    allow_kill: bool,
    open_page: bool,
) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - of the extra

        from stillhere.board.app import Board, make_app  # noqa: PLC0415 - same
        from stillhere.board.guard import is_loopback  # noqa: PLC0415 - same
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"the page needs {error.name}; run: pip install 'stillhere[cli,monitor]'") from error
    from stillhere.survey.login import login  # noqa: PLC0415 - keeps --help quick

    listener = bound(host, port)
    port = listener.getsockname()[1]
    explain = partial(_explain, secret_texts)
    openings = {address: partial(login, url, timeout=max(2.0, seconds)) for address, url in targets.items()}
    watchers = [_watcher(address, opening, seconds, explain) for address, opening in openings.items()]
    board = Board(watchers, _recent(set(targets)) if incidents else None, dict(openings) if allow_kill else None)
    token = "" if is_loopback(host) else secrets.token_urlsafe(18)
    where = f"http://{'localhost' if is_loopback(host) else host}:{port}/" + (f"?token={token}" if token else "")
    app = make_app(board, hosts=_hosts(host, port), token=token, interval=min(seconds, 1.0))
    for watcher in watchers:
        watcher.start()
    messages.print(f"{where}  Ctrl-C ends it", soft_wrap=True)
    if open_page:
        webbrowser.open(where)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        for watcher in watchers:
            watcher.stop()


def _watcher(address: str, opening: Any, seconds: float, explain: Callable[[BaseException], str]) -> Watcher:
    from stillhere.board.watcher import Watcher  # noqa: PLC0415 - beside its use

    return Watcher(address, opening, interval=seconds, explain=explain)


def _hosts(host: str, port: int) -> frozenset[str]:
    """What a browser that was sent here writes into its Host header."""
    names = {host if ":" not in host else f"[{host}]", "localhost", "127.0.0.1", "[::1]"}
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())  # noqa: PLR2004


def _explain(secret_texts: list[str], error: BaseException) -> str:
    return mask(problem_of(error)[1], secret_texts)


def _recent(addresses: set[str]) -> Callable[[], list[dict[str, Any]]]:
    """The latest losses of these servers, read again when the store may have changed."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - beside its use

    from stillhere.causes.incidents import Store, Unreadable, store_path  # noqa: PLC0415 - same

    path, known = store_path(), {_plain(address) for address in addresses}

    def read() -> list[dict[str, Any]]:
        if path is None or not path.exists():
            return []
        try:
            found = Store(path).read(since=datetime.now(UTC) - timedelta(hours=1), limit=500)
        except Unreadable:
            return []
        wanted = [one for one in found if _plain(one.server) in known]
        return [_incident(one) for one in sorted(wanted, key=lambda one: one.at, reverse=True)]

    return read


def _plain(address: str) -> str:
    """One name for this machine, which an application and this command may write differently."""
    host, colon, port = address.rpartition(":")
    return f"localhost{colon}{port}" if host in {"127.0.0.1", "::1", "[::1]"} else address


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "server": one.server,
        "cause": one.cause,
        "sentence": one.sentence,
        "done": one.done,
        "error": one.error,
    }
