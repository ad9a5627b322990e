"""One look at a live server for ``stillhere explain``: what it shows, or that it lets nobody in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from stillhere.causes.answer import Look
from stillhere.cli.problems import DRIVERS
from stillhere.masking import mask_sql, mask_urls
from stillhere.survey.login import address_of, login, target
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, take

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from stillhere.errorlog.summary import Summary

__all__ = ["look"]

_LOG_TABLE = (
    "SELECT UNIX_TIMESTAMP(LOGGED) AS at, THREAD_ID AS thread, PRIO AS severity, ERROR_CODE AS code, SUBSYSTEM AS part,"
    " DATA AS said FROM performance_schema.error_log ORDER BY LOGGED DESC LIMIT 50000"
)
_HAS_LOG_TABLE = (8, 0, 22)


def look(url: str, *, timeout: float = 5.0) -> Look:
    """Log in, ask, quit. A server that can't be reached is an answer, not an error.

    Args:
        url: a SQLAlchemy URL, as in the application's settings. An asynchronous driver in it is replaced by one of
            the synchronous ones that are installed.
        timeout: seconds for the connection, and for each answer.

    Raises:
        ConfigurationError: no URL for MySQL or MariaDB.
        ModuleNotFoundError: the driver isn't installed.
    """
    where = _synchronous(target(url))
    dbapi: Any = where.get_dialect().import_dbapi()
    driver = DRIVERS.get(str(dbapi.__name__).partition(".")[0], str(dbapi.__name__))
    at, address = datetime.now(UTC), address_of(where)
    try:
        with login(where, timeout=timeout) as ask:
            snapshot = take(ask, address)
            return Look(address=address, at=at, driver=driver, snapshot=snapshot, log=_log(ask, snapshot))
    except (dbapi.Error, OSError) as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else None
        return Look(address=address, at=at, driver=driver, code=code, error=_text(error, where))


def _synchronous(url: URL) -> URL:
    if not url.get_dialect().is_async:
        return url
    dialect = "mysqldb" if find_spec("MySQLdb") is not None else "pymysql"
    return url.set(drivername=f"{url.get_backend_name()}+{dialect}")


def _text(error: BaseException, url: URL) -> str:
    text = " ".join(str(error.args[-1] if error.args else error).split())
    text = mask_urls(mask_sql(text))
    return text.replace(url.password, "***") if url.password else text


def _log(ask: Ask, snapshot: Snapshot) -> Summary | None:
    """The server's own error log out of ``performance_schema.error_log``, where there is one to be read.

    "The error_log Table" of the MySQL manual: since 8.0.22, a ring of the most recent events.
    """
    if snapshot.mariadb or snapshot.version.number < _HAS_LOG_TABLE:
        return None
    from stillhere.errorlog.reader import read  # noqa: PLC0415 - only where there is such a table

    try:
        rows = ask(_LOG_TABLE)
    except NotAllowed:
        return None
    summary = read(io.BytesIO("".join(map(_line, reversed(rows))).encode()))
    return replace(summary, entries=tuple(replace(entry, line=0) for entry in summary.entries))


def _line(row: Mapping[str, Any]) -> str:
    """An event as the line of the log file that it also is."""
    at = datetime.fromtimestamp(float(row["at"]), UTC)
    head = f"{at:%Y-%m-%dT%H:%M:%S.%f}Z {row['thread']} [{row['severity']}] [{row['code']}] [{row['part']}]"
    return f"{head} {row['said']}\n"
