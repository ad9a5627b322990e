"""``stillhere lab``: private servers to break, and what they are made from."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from stillhere.cli.render import line, messages, results
from stillhere.errors import ConfigurationError, LabError

if TYPE_CHECKING:
    from stillhere.lab.servers import Server

__all__ = ["register"]

_LOOK_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    lab = typer.Typer(no_args_is_help=True, help="Run private servers, for experiments.")
    lab.command("up")(up)
    lab.command("fetch")(fetch)
    lab.command("faults")(faults)
    app.add_typer(lab, name="lab")


def up(
    server: Annotated[str, typer.Argument(metavar="mariadb|mysql", help="Which server.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 finds a free one.")] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="VAR=VALUE", help="A server variable; repeatable.")
    ] = None,
) -> None:
    """Start a private server, say how to reach it, and keep it until Ctrl-C or SIGTERM.

    Its data is gone when it ends. Exits with 0 when it was told to end, else with 2 and one line.
    """
    from stillhere.lab.packages import flavour_named  # noqa: PLC0415 - keeps --help quick
    from stillhere.lab.servers import start_server  # noqa: PLC0415 - same

    flavour, variables = flavour_named(server), _variables(settings or [])
    with _told_to_end() as end:
        start = time.monotonic()
        with start_server(flavour, port=port, variables=variables) as one:
            _describe(one, time.monotonic() - start)
            while not end.wait(_LOOK_SECONDS):
                if not one.running:
                    raise LabError(f"{one.version} ended by itself: {one.last_errors()}")
            messages.print("stopping")
            one.stop()


def fetch(
    server: Annotated[str, typer.Argument(metavar="mariadb|mysql", help="Which server.")],
) -> None:
    """See to it that the lab has a server program; MySQL is fetched into the user's cache if need be."""
    from stillhere.lab.packages import flavour_named, obtain  # noqa: PLC0415 - keeps --help quick

    found = obtain(flavour_named(server))
    line(str(found.version), str(found.program), good=True)


def faults() -> None:
    """List the ways to lose connections that the lab can play, in the order in which a drill strikes them."""
    from rich.table import Table  # noqa: PLC0415 - keeps --help quick

    from stillhere.lab.faults import FAULTS  # noqa: PLC0415 - same

    table = Table("name", "title", "what happens", box=None, pad_edge=False)
    for fault in FAULTS:
        table.add_row(fault.name, fault.title, fault.summary)
    results.print(table)


def _variables(settings: list[str]) -> dict[str, str]:
    variables = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"--set wants VAR=VALUE, such as wait_timeout=5, not {setting!r}")
        variables[name] = value
    return variables


def _describe(server: Server, seconds: float) -> None:
    line("server", f"{server.version}, up in {seconds:.1f} s, pid {server.pid}", good=True)
    line("stillhere", server.url())
    line("root", server.url("root", ""))
    line("socket", str(server.socket))
    line("log", str(server.error_log))
    messages.print("Ctrl-C ends it")


@contextlib.contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set while the block runs."""
    end = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: end.set()) for number in numbers]
    try:
        yield end
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
