"""``stillhere probe URL``: an exit code for an orchestrator's exec probe.

It runs every few seconds beside the application, so it is quick: no SQLAlchemy and no rich for a plain URL.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from stillhere.cli.problems import mask, problem_of
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

__all__ = ["quick", "register"]

# Without a driver, SQLAlchemy takes mysqlclient.
_MODULES = {"": "MySQLdb", "mysqldb": "MySQLdb", "pymysql": "pymysql"}
_PLAIN = re.compile(
    r"(?:mysql|mariadb)(?:\+(?P<driver>mysqldb|pymysql))?://"
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?"
    r"(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?(?:/(?P<database>[^/?]*))?(?:\?(?P<query>.*))?"
)
_TIMED_OUT = "no answer within {:g} s"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    import typer  # noqa: PLC0415 - `quick` goes without

    @app.command("probe")
    def probe(
        url: str = typer.Argument(help="A SQLAlchemy URL.", envvar="STILLHERE_URL", show_envvar=True),
        *,
        ready: bool = typer.Option(False, "--ready", help="Can the database be used? The default."),  # noqa: FBT003 - typer's way
        live: bool = typer.Option(False, "--live", help="Never asks the database, and always succeeds."),  # noqa: FBT003
        startup: bool = typer.Option(False, "--startup", help="As --ready, for a startup probe."),  # noqa: FBT003
        timeout: str = typer.Option("2s", metavar="DURATION", help="The most that it may take, all in all."),
    ) -> int:
        """Say whether the database can be used, by the exit code: 0 yes, 1 no, 2 for a URL that can't be used.

        Logs in, runs SELECT 1 and logs out, so that it raises no counter of aborted connections. It asks from beside
        the application; /readyz asks through the application's own pool, and is the better probe where there is one.
        """
        seconds = parse_duration("--timeout", timeout)
        if sum((ready, live, startup)) > 1:
            raise ConfigurationError("one of --ready, --live and --startup is meant, not several")
        code, text = _probe(url, seconds, live=live)
        typer.echo(text, err=bool(code))
        return code


def quick(args: Sequence[str]) -> tuple[int, str] | None:
    """The common forms of the command without typer, which takes longer to import than the database to answer.

    Args:
        args: those that follow ``probe``.

    Returns:
        Exit code and line; ``None`` for every other form, mistakes and ``--help`` included, which are typer's.
    """
    urls, kinds, timeout = [], [], "2s"
    rest = iter(args)
    for arg in rest:
        if arg in {"--ready", "--live", "--startup"}:
            kinds.append(arg)
        elif arg == "--timeout":
            timeout = next(rest, "")
        elif arg.startswith("-"):
            return None
        else:
            urls.append(arg)
    urls = urls or [url for url in [os.environ.get("STILLHERE_URL", "")] if url]
    if len(urls) != 1 or len(kinds) > 1 or not timeout:
        return None
    return _probe(urls[0], parse_duration("--timeout", timeout), live="--live" in kinds)


def _probe(url: str, seconds: float, *, live: bool) -> tuple[int, str]:
    opening = _opening(url, seconds)
    if live:
        return 0, "live: the database is not asked, so that an outage restarts nobody"
    began = time.monotonic()
    refusal = _within(seconds, lambda: _ask(opening))
    if refusal:
        return 1, f"not ready: {mask(refusal, [url])}"
    return 0, f"ready: the database answered in {(time.monotonic() - began) * 1000:.0f} ms"


def _within(seconds: float, ask: Callable[[], None]) -> str:
    """Run it in a thread that can be left behind: drivers hold on to a silent socket as long as they like."""
    said = [_TIMED_OUT.format(seconds)]
    failed: list[BaseException] = []

    def run() -> None:
        try:
            ask()
            said[0] = ""
        except BaseException as error:  # noqa: BLE001 - judged by the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not failed:
        return said[0]
    error = failed[0]
    if isinstance(error, TypeError):
        raise ConfigurationError(f"the driver refuses an option of the URL: {error}") from error
    if isinstance(error, ConfigurationError | ImportError):
        raise error
    return problem_of(error)[1] or type(error).__name__


def _ask(opening: Callable[[], AbstractContextManager[Callable[[str], Any]]]) -> None:
    with opening() as ask:
        ask("SELECT 1")


def _opening(url: str, seconds: float) -> Callable[[], AbstractContextManager[Callable[[str], Any]]]:
    """How to log in; the URL is judged now, whatever is done with it later."""
    plain = _PLAIN.fullmatch(url)
    arguments = _arguments(plain, seconds) if plain is not None else None
    if plain is not None and arguments is not None:
        module = _MODULES[plain["driver"] or ""]
        return lambda: _plain_login(module, arguments)
    from stillhere.survey.login import login, target  # noqa: PLC0415 - brings SQLAlchemy, which takes its time

    parsed = target(url)
    return lambda: login(parsed, timeout=seconds)


def _arguments(plain: re.Match[str], seconds: float) -> dict[str, Any] | None:
    """The driver's arguments; ``None`` where the query asks for something that SQLAlchemy has to translate."""
    limit = max(1, round(seconds))
    arguments: dict[str, Any] = {"host": plain["host"], "connect_timeout": limit, "read_timeout": limit}
    for name in ("user", "password", "database"):
        if plain[name]:
            arguments[name] = unquote(plain[name])
    if plain["port"]:
        arguments["port"] = int(plain["port"])
    for key, value in parse_qsl(plain["query"] or "", keep_blank_values=True):
        if key in {"charset", "unix_socket"}:
            arguments[key] = value
        elif key != "plugin" and not key.startswith("stillhere."):
            return None
    return arguments


@contextmanager
def _plain_login(module: str, arguments: dict[str, Any]) -> Iterator[Callable[[str], Any]]:
    from importlib import import_module  # noqa: PLC0415 - beside what it is for

    with closing(import_module(module).connect(**arguments)) as connection, closing(connection.cursor()) as cursor:
        yield cursor.execute
