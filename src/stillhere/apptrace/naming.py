"""Names of exceptions: which line names one, and which of them are a MySQL driver's or SQLAlchemy's."""

from __future__ import annotations

import re

__all__ = ["driver_of_name", "foreign_database", "is_database_line", "is_database_name", "named", "wrapped"]

_NAMED = re.compile(r"(?:E {1,7})?((?:[A-Za-z_][\w]{0,80}\.){0,8}[A-Za-z_]\w{0,80})(?::(?: (.*))?)?$", re.DOTALL)
_EXCEPTION = re.compile(
    r"(?:Error|Exception|Warning|Interrupt|Exit|Timeout|TimedOut|Iteration|Group|Cancelled|Retry|Rollback|Ignore|Reject"
    r"|Lost|Killed|Unknown|Unavailable|Interrupted|Diverged|Statement|Empty|Full|TooLarge|Misused|herror|gaierror|error|timeout)$"
)
_PEP249 = (
    "OperationalError|InterfaceError|ProgrammingError|InternalError|DatabaseError|DataError|IntegrityError"
    "|NotSupportedError|PoolError|MySQLError|DBAPIError|StatementError|PendingRollbackError"
)
_DATABASE = re.compile(rf"(?:^|\.)(?:{_PEP249})$")
_ERROR = re.compile(r"^(?:mysql\.connector\.(?:errors\.)?|mariadb\.|pymysql\.(?:err\.)?|MySQLdb\.)\w{1,60}$")
_WRAPPED = re.compile(r"\((?:builtins\.)?((?:[A-Za-z_]\w{0,80}\.){1,8}[A-Za-z_]\w{0,80})\) ?")
_LINE = re.compile(
    rf"(?:^|[^\w.])(?:(?:[A-Za-z_]\w{{0,80}}\.){{0,8}}(?:{_PEP249})|sqlalchemy\.exc\.TimeoutError)"
    r"(?:: ?(?=\S)|:? ?\((?=\d|[A-Za-z_]\w{0,80}\.))|QueuePool limit of size \d"
)
_DRIVERS = (
    ("MySQLdb.", "mysqlclient"),
    ("_mysql_exceptions.", "mysqlclient"),
    ("_mysql.", "mysqlclient"),
    ("pymysql.", "PyMySQL"),
    ("mysql.connector.", "mysql-connector-python"),
    ("_mysql_connector.", "mysql-connector-python"),
    ("mariadb.", "mariadb"),
    ("asyncmy.", "asyncmy"),
    ("aiomysql.", "aiomysql"),
)
_OTHERS = re.compile(
    r"^(?:psycopg\w{0,12}|asyncpg|sqlite3|aiosqlite|pysqlite\w{0,9}|apsw|cx_Oracle|oracledb|pyodbc|pymssql\w{0,9}|pytds"
    r"|snowflake|clickhouse\w{0,20}|duckdb|pymongo|redis|elasticsearch|trino|pyhive|databricks|cassandra|hdbcli|fdb)\b"
)


def named(text: str, *, strict: bool) -> tuple[str, str] | None:
    """The class name and the first line of the message, where a line names an exception as Python does.

    Args:
        text: the line, stripped.
        strict: whether only what looks like an exception's name counts; without, the place of the line has already
            said that it names one.
    """
    found = _NAMED.match(text)
    if found is None:
        return None
    name, message = found[1], found[2] or ""
    last = name.rpartition(".")[2]
    likely = _EXCEPTION.search(last) is not None
    if not likely and (strict or not last[:1].isupper() or ":" not in text):
        return None
    return name, message


def wrapped(message: str) -> tuple[str, str] | None:
    """What SQLAlchemy put in front of a driver's message: ``(MySQLdb.OperationalError) (2006, …)``."""
    found = _WRAPPED.match(message)
    return (found[1], message[found.end() :]) if found else None


def is_database_name(name: str) -> bool:
    """Whether a class of that name is one that a database driver or SQLAlchemy raises."""
    return bool(_DATABASE.search(name) or _ERROR.match(name)) or name == "sqlalchemy.exc.TimeoutError"


def is_database_line(text: str) -> bool:
    """Whether a line, wherever it stands, names a database error in Python's way."""
    return ("Error" in text or "QueuePool" in text) and _LINE.search(text) is not None


def driver_of_name(name: str) -> str:
    """The driver that a class name, a module's name or a path with dots belongs to; empty where to none."""
    return next((driver for prefix, driver in _DRIVERS if name.startswith(prefix)), "")


def foreign_database(name: str) -> bool:
    """Whether a class is another database's: not ours to explain."""
    return _OTHERS.match(name) is not None
