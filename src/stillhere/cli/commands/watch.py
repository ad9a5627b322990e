"""``stillhere watch URL…``: the live page."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from stillhere.cli.listening import bound, listen_address
from stillhere.cli.render import messages
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

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
    try:
        from stillhere.cli.boarding import Page, recent_incidents  # noqa: PLC0415 - of the extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"the page needs {error.name}; run: pip install 'stillhere[cli,monitor]'") from error

    page = Page(
        bound(host, port),
        interval=seconds,
        secret_texts=urls,
        incidents=recent_incidents(targets) if incidents else None,
        allow_kill=allow_kill,
    )
    for address, url in targets.items():
        page.add(address, url)
    messages.print(f"{page.address}  Ctrl-C ends it", soft_wrap=True)
    if open_page:
        webbrowser.open(page.address)
    page.run()
