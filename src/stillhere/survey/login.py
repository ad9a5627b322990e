"""Logging in with a SQLAlchemy URL, asking, and quitting as a client should.

A client that hangs up without COM_QUIT raises ``Aborted_clients``, and one that hangs up before it has logged in
raises ``Aborted_connects``: whoever reads those counters must do neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stillhere.errors import ConfigurationError
from stillhere.server.errorcodes import denied
from stillhere.survey.take import Ask, NotAllowed, Row

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["address_of", "login", "target"]

_DIALECTS = frozenset({"mysql", "mariadb"})
# What each driver calls the two limits. A frozen server must cost a caller no more than he granted.
_TIMEOUTS = {
    "MySQLdb": ("connect_timeout", "read_timeout"),
    "pymysql": ("connect_timeout", "read_timeout"),
    "mysql.connector": ("connection_timeout", "read_timeout"),
    "mariadb": ("connect_timeout", "read_timeout"),
}


def target(url: str) -> URL:
    """The URL without stillhere's own options.

    Raises:
        ConfigurationError: it is no URL, not for MySQL or MariaDB, or for a driver that SQLAlchemy doesn't know.
        ModuleNotFoundError: the driver is not installed.
    """
    from sqlalchemy import make_url  # noqa: PLC0415 - not a dependency of the package
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415 - same

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "this is no SQLAlchemy URL; write one such as mysql+pymysql://user:password@host/database"
        ) from error
    if parsed.get_backend_name() not in _DIALECTS:
        raise ConfigurationError(
            f"the URL's dialect is {parsed.get_backend_name()!r}; stillhere is for mysql and mariadb"
        )
    try:
        parsed.get_dialect()
    except NoSuchModuleError as error:
        raise ConfigurationError(f"SQLAlchemy knows no driver {parsed.get_driver_name()!r} for MySQL") from error
    ours = [key for key in parsed.query if key == "plugin" or key.startswith("stillhere.")]
    return parsed.difference_update_query(ours)


def address_of(url: URL) -> str:
    """The server's address as text, without credentials."""
    socket = url.query.get("unix_socket")
    return socket if isinstance(socket, str) else f"{url.host or 'localhost'}:{url.port or 3306}"


@contextlib.contextmanager
def login(url: URL, *, timeout: float = 5.0) -> Iterator[Ask]:
    """A connection in autocommit mode, closed politely at the end.

    Args:
        url: as `target` gives it.
        timeout: seconds to wait for the connection, and for each answer; at least 1, since drivers count whole
            seconds. A limit that the URL names itself is kept.

    Yields:
        What runs a statement and returns its rows.

    Raises:
        Exception: the driver's own, where the connection can't be made.
    """
    dialect = url.get_dialect()()
    dbapi: Any = url.get_dialect().import_dbapi()
    args, kwargs = dialect.create_connect_args(url)
    for name in _TIMEOUTS.get(dbapi.__name__, ()):
        kwargs.setdefault(name, max(1, round(timeout)))
    connection: Any = dbapi.connect(*args, **kwargs)
    try:
        _autocommit(connection)
        yield _asking(connection, dbapi)
    finally:
        with contextlib.suppress(dbapi.Error):
            connection.close()


def _autocommit(connection: Any) -> None:
    switch = connection.autocommit
    if callable(switch):
        switch(True)  # noqa: FBT003 - the driver's own signature
    else:
        connection.autocommit = True


def _asking(connection: Any, dbapi: Any) -> Ask:
    def ask(sql: str, /) -> list[Row]:
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            names = [str(column[0]).lower() for column in cursor.description or ()]
            return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()] if names else []
        except dbapi.Error as error:
            code = error.args[0] if error.args else None
            if isinstance(code, int) and denied(code):
                raise NotAllowed(_missing(error)) from error
            raise
        finally:
            with contextlib.suppress(dbapi.Error):
                cursor.close()

    return ask


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else value


def _missing(error: BaseException) -> str:
    """What the server says is missing, in the words that a grant would use."""
    text = str(error.args[-1])
    # ER_SPECIFIC_ACCESS_DENIED_ERROR names the privileges in its text, and nowhere else: no code tells them apart.
    _, found, rest = text.partition("the ")
    privileges = rest.split(" privilege")[0] if found and " privilege" in rest else ""
    return f"needs {privileges}" if privileges else f"not allowed: {text}"
