"""``stillhere check URL``: can stillhere protect this database URL, here and now?"""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from stillhere.cli.problems import DRIVERS
from stillhere.cli.render import line
from stillhere.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["register"]

_OURS = ("mysql", "mariadb")


class _Server(NamedTuple):
    version: str
    comment: str
    seconds: float


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("check")(check)


def check(
    url: Annotated[str, typer.Argument(help="A SQLAlchemy URL, as in the application's settings.")],
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long the server may take to answer.")
    ] = 3.0,
) -> None:
    """Check a database URL: its dialect, driver and options, and whether the server answers.

    Exits with 0 when an application with this URL can work, else with 2 and one line that says why not.
    """
    target = _parse(url)
    line("dialect", target.drivername, good=True)
    line("driver", _driver(target), good=True)
    protected, was_protected = _with_plugin(target)
    _engine(protected, timeout)  # refuses options that are unknown or malformed
    if was_protected:
        line("stillhere", "on", good=True)
    else:
        line("stillhere", f"off; it comes on with {_advice(target)}", good=False)
    found = _ask(protected, timeout)
    line("server", f"{found.version} ({found.comment}), answered in {found.seconds * 1000:.0f} ms", good=True)


def _parse(text: str) -> URL:
    from sqlalchemy import make_url  # noqa: PLC0415 - keeps --help quick
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - same

    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise ConfigurationError("that is not a database URL; write mysql+pymysql://USER@HOST:3306/DATABASE") from error
    if url.get_backend_name() not in _OURS:
        raise ConfigurationError(f"the URL's dialect is {url.get_backend_name()!r}; stillhere is for mysql and mariadb")
    return url


def _driver(url: URL) -> str:
    """The driver's package and version; ``ModuleNotFoundError`` where it isn't installed."""
    from sqlalchemy.exc import NoSuchModuleError  # noqa: PLC0415 - keeps --help quick

    try:
        dialect = url.get_dialect()
    except NoSuchModuleError as error:
        raise ConfigurationError(f"SQLAlchemy has no dialect {url.drivername!r}") from error
    name = str(dialect.import_dbapi().__name__).partition(".")[0]
    package = DRIVERS.get(name, name)
    try:
        return f"{package} {version_of(package)}"
    except PackageNotFoundError:
        return package


def _with_plugin(url: URL) -> tuple[URL, bool]:
    """The URL with the plugin in it, and whether it was there before."""
    if "stillhere" in url.normalized_query.get("plugin", ()):
        return url, True
    return url.update_query_pairs([("plugin", "stillhere")], append=True), False


def _advice(url: URL) -> str:
    return f"{'&' if url.query else '?'}plugin=stillhere at the end of the URL"


def _engine(url: URL, patience: float) -> Any:
    from sqlalchemy import create_engine, pool  # noqa: PLC0415 - keeps --help quick

    connect_args = {}
    if "connect_timeout" not in url.query:
        connect_args["connect_timeout"] = max(1, round(patience))
    if not url.get_dialect().is_async:
        return create_engine(url, poolclass=pool.NullPool, connect_args=connect_args)
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - needs greenlet

    return create_async_engine(url, poolclass=pool.NullPool, connect_args=connect_args)


def _ask(url: URL, patience: float) -> _Server:
    """What answers at this URL. No riding through: whoever checks wants to know now."""
    engine = _engine(url.update_query_dict({"stillhere.ride_through": "0"}), patience)
    start = time.monotonic()
    row = asyncio.run(_fetch_later(engine)) if hasattr(engine, "sync_engine") else _fetch(engine)
    return _Server(row[0], row[1], time.monotonic() - start)


def _fetch(engine: Any) -> Any:
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT VERSION(), @@version_comment").one()


async def _fetch_later(engine: Any) -> Any:
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql("SELECT VERSION(), @@version_comment")).one()
