"""What the application was doing, by the frames alone: one line of the table for each function that tells it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stillhere.apptrace.chains import Seen
from stillhere.apptrace.places import is_library, package_path
from stillhere.apptrace.report import Position

__all__ = ["position_of", "single_use"]

_P = Position

# Package path, functions, what they tell. The innermost frame that a line fits decides.
_TABLE: tuple[tuple[str, frozenset[str], Position], ...] = tuple(
    (path, frozenset(functions.split()), position)
    for path, functions, position in (
        ("sqlalchemy/engine/default.py", "do_commit do_commit_twophase do_prepare_twophase", _P.COMMIT),
        ("sqlalchemy/engine/default.py", "do_rollback do_rollback_twophase", _P.ROLLBACK),
        ("sqlalchemy/engine/default.py", "do_ping _do_ping_w_event", _P.CHECKOUT),
        ("sqlalchemy/engine/default.py", "do_begin", _P.FIRST_STATEMENT),
        ("sqlalchemy/engine/default.py", "do_execute do_executemany do_execute_no_params", _P.STATEMENT),
        ("sqlalchemy/engine/default.py", "do_savepoint do_release_savepoint do_rollback_to_savepoint", _P.STATEMENT),
        ("sqlalchemy/engine/default.py", "create_cursor", _P.STATEMENT),
        ("sqlalchemy/engine/default.py", "connect initialize", _P.CONNECT),
        ("sqlalchemy/engine/create.py", "connect first_connect", _P.CONNECT),
        ("sqlalchemy/pool/base.py", "__connect _create_connection", _P.CONNECT),
        ("sqlalchemy/pool/base.py", "_checkout checkout", _P.CHECKOUT),
        ("sqlalchemy/pool/base.py", "_reset reset", _P.ROLLBACK),
        ("sqlalchemy/engine/cursor.py", "fetchone fetchmany fetchall _buffer_rows _fetchone_impl", _P.FETCH),
        ("sqlalchemy/engine/cursor.py", "_fetchall_impl _fetchmany_impl fetch_all fetch_many fetch_one", _P.FETCH),
        ("sqlalchemy/dialects/mysql/", "do_ping ping", _P.CHECKOUT),
        ("sqlalchemy/dialects/mysql/", "do_commit commit", _P.COMMIT),
        ("sqlalchemy/dialects/mysql/", "do_rollback rollback", _P.ROLLBACK),
        ("sqlalchemy/dialects/mysql/", "do_execute do_executemany execute executemany", _P.STATEMENT),
        ("sqlalchemy/dialects/mysql/", "connect", _P.CONNECT),
        ("sqlalchemy/connectors/asyncio.py", "commit", _P.COMMIT),
        ("sqlalchemy/connectors/asyncio.py", "rollback", _P.ROLLBACK),
        ("sqlalchemy/connectors/asyncio.py", "execute executemany", _P.STATEMENT),
        ("MySQLdb/__init__.py", "Connect", _P.CONNECT),
        ("MySQLdb/connections.py", "__init__", _P.CONNECT),
        ("MySQLdb/connections.py", "begin", _P.FIRST_STATEMENT),
        ("MySQLdb/connections.py", "query autocommit set_character_set", _P.STATEMENT),
        ("MySQLdb/cursors.py", "execute executemany callproc _query", _P.STATEMENT),
        ("MySQLdb/cursors.py", "fetchone fetchmany fetchall _fetch_row nextset scroll", _P.FETCH),
        ("pymysql/__init__.py", "connect Connect", _P.CONNECT),
        ("pymysql/connections.py", "connect __init__ _request_authentication _get_server_information", _P.CONNECT),
        ("pymysql/connections.py", "begin", _P.FIRST_STATEMENT),
        ("pymysql/connections.py", "commit", _P.COMMIT),
        ("pymysql/connections.py", "rollback", _P.ROLLBACK),
        ("pymysql/connections.py", "ping", _P.CHECKOUT),
        ("pymysql/connections.py", "query next_result autocommit select_db set_charset", _P.STATEMENT),
        ("pymysql/connections.py", "_read_rowdata_packet_unbuffered _finish_unbuffered_query", _P.FETCH),
        ("pymysql/cursors.py", "execute executemany callproc _query", _P.STATEMENT),
        ("pymysql/cursors.py", "fetchone fetchmany fetchall read_next fetchall_unbuffered nextset", _P.FETCH),
        ("mysql/connector/", "_open_connection _do_handshake _do_auth connect reconnect open_connection", _P.CONNECT),
        ("mysql/connector/pooling.py", "get_connection", _P.CHECKOUT),
        ("mysql/connector/", "commit", _P.COMMIT),
        ("mysql/connector/", "rollback", _P.ROLLBACK),
        ("mysql/connector/", "start_transaction", _P.FIRST_STATEMENT),
        ("mysql/connector/", "ping is_connected", _P.CHECKOUT),
        ("mysql/connector/", "fetchone fetchmany fetchall get_row get_rows", _P.FETCH),
        ("mysql/connector/", "execute executemany callproc cmd_query", _P.STATEMENT),
        ("mariadb/__init__.py", "connect", _P.CONNECT),
        ("mariadb/connections.py", "__init__ reconnect", _P.CONNECT),
        ("mariadb/connections.py", "begin", _P.FIRST_STATEMENT),
        ("mariadb/connections.py", "ping", _P.CHECKOUT),
        ("mariadb/connections.py", "commit", _P.COMMIT),
        ("mariadb/connections.py", "rollback", _P.ROLLBACK),
        ("mariadb/cursors.py", "execute executemany callproc", _P.STATEMENT),
        ("mariadb/cursors.py", "fetchone fetchmany fetchall nextset", _P.FETCH),
        ("aiomysql/connection.py", "_connect connect _request_authentication _get_server_information", _P.CONNECT),
        ("aiomysql/connection.py", "begin", _P.FIRST_STATEMENT),
        ("aiomysql/connection.py", "commit", _P.COMMIT),
        ("aiomysql/connection.py", "rollback", _P.ROLLBACK),
        ("aiomysql/connection.py", "ping", _P.CHECKOUT),
        ("aiomysql/connection.py", "query autocommit select_db", _P.STATEMENT),
        ("aiomysql/connection.py", "_read_rowdata_packet_unbuffered", _P.FETCH),
        ("aiomysql/pool.py", "_acquire acquire _fill_free_pool", _P.CHECKOUT),
        ("aiomysql/cursors.py", "execute executemany callproc _query", _P.STATEMENT),
        ("aiomysql/cursors.py", "fetchone fetchmany fetchall _read_next", _P.FETCH),
        ("asyncmy/connection.pyx", "connect _connect _request_authentication _get_server_information", _P.CONNECT),
        ("asyncmy/connection.pyx", "begin", _P.FIRST_STATEMENT),
        ("asyncmy/connection.pyx", "commit", _P.COMMIT),
        ("asyncmy/connection.pyx", "rollback", _P.ROLLBACK),
        ("asyncmy/connection.pyx", "ping", _P.CHECKOUT),
        ("asyncmy/connection.pyx", "query autocommit select_db", _P.STATEMENT),
        ("asyncmy/pool.pyx", "_acquire acquire fill_free_pool", _P.CHECKOUT),
        ("asyncmy/cursors.pyx", "execute executemany callproc _query", _P.STATEMENT),
        ("asyncmy/cursors.pyx", "fetchone fetchmany fetchall _read_next", _P.FETCH),
        ("django/db/backends/", "_commit", _P.COMMIT),
        ("django/db/backends/", "_rollback", _P.ROLLBACK),
        ("django/db/backends/", "get_new_connection connect ensure_connection", _P.CONNECT),
        ("django/db/backends/", "is_usable", _P.CHECKOUT),
        ("django/db/backends/", "execute executemany _execute _executemany _set_autocommit _savepoint", _P.STATEMENT),
        ("peewee.py", "commit", _P.COMMIT),
        ("peewee.py", "rollback", _P.ROLLBACK),
        ("peewee.py", "_connect connect", _P.CONNECT),
        ("peewee.py", "execute_sql", _P.STATEMENT),
    )
)
_BY_FUNCTION: dict[str, list[tuple[str, Position]]] = {}
for _path, _functions, _position in _TABLE:
    for _function in _functions:
        _BY_FUNCTION.setdefault(_function, []).append((_path, _position))

# With these a driver sends whatever there is to send, a COMMIT too: what it was, a frame further out says.
_ANYTHING = frozenset({"query", "cmd_query", "next_result", "autocommit", "_set_autocommit", "_execute_query"})
# A stack that begins in here is the inner part of one: the rest is the traceback of what wraps it.
_INSIDE = ("sqlalchemy/", "MySQLdb/", "pymysql/", "mysql/connector/", "mariadb/", "aiomysql/", "asyncmy/", "django/db/")

_FLUSH = (
    ("sqlalchemy/orm/session.py", frozenset({"flush", "_flush"})),
    ("sqlalchemy/orm/unitofwork.py", frozenset({"execute", "execute_aggregate"})),
    ("sqlalchemy/orm/persistence.py", frozenset({"save_obj", "delete_obj", "_emit_insert_statements"})),
    ("sqlalchemy/orm/persistence.py", frozenset({"_emit_update_statements", "_emit_delete_statements"})),
)
# A driver written in C has no frame for these calls: the line of the innermost frame itself makes them.
_C_CALL = re.compile(r"\.(commit|rollback|fetchone|fetchmany|fetchall|fetch_row|begin)\(")
_C_CALLS = {"commit": _P.COMMIT, "rollback": _P.ROLLBACK, "begin": _P.FIRST_STATEMENT}
_SINGLE_USE = re.compile(r"\bconnect\(\)\.(?:execute|exec_driver_sql|scalar|scalars)\(")


def position_of(frames: Sequence[Seen], *, headed: bool = True) -> Position:
    """What the frames show to have been done; the innermost that tells it decides.

    Args:
        frames: the outermost first.
        headed: whether the text shows where the stack begins.
    """
    if not frames:
        return Position.UNKNOWN
    whole = headed and not package_path(frames[0].at.path).startswith(_INSIDE)
    for index in range(len(frames) - 1, -1, -1):
        position = _told_by(frames[index])
        if position is not None and (whole or frames[index].at.function not in _ANYTHING):
            return _widened(position, frames, index)
    calls = _C_CALL.findall(frames[-1].code)
    if len(set(calls)) == 1:
        return _C_CALLS.get(calls[0], Position.FETCH)
    return Position.UNKNOWN


def single_use(frames: Sequence[Seen]) -> bool:
    """Whether the connection was taken from the pool for this one statement, so that it was its first.

    So in SQLAlchemy before 2.0 with ``engine.execute(…)``, and wherever one expression connects and executes.
    """
    for frame in frames:
        if _SINGLE_USE.search(frame.code):
            return True
        path = package_path(frame.at.path)
        if path == "sqlalchemy/engine/base.py" and frame.code.startswith(
            ("return connection.execute(statement, *multiparams", "return connection.execute(statement, multiparams")
        ):
            return True
    return False


def _told_by(frame: Seen) -> Position | None:
    entries = _BY_FUNCTION.get(frame.at.function.rpartition(".")[2].rstrip("()"))
    if entries is None:
        return None
    path = package_path(frame.at.path)
    for prefix, position in entries:
        if path.startswith(prefix) or (path.startswith("/") and f"/{prefix}" in path):
            return position
    return None


def _widened(position: Position, frames: Sequence[Seen], index: int) -> Position:
    """A statement inside a flush is the flush; what a new connection runs for itself is the connecting.

    A frame of the application's own in between, a listener's say, means that it is its own statement.
    """
    if position not in (Position.STATEMENT, Position.FETCH, Position.ROLLBACK, Position.COMMIT, Position.CHECKOUT):
        return position
    for frame in reversed(frames[:index]):
        if not is_library(frame.at.path):
            break
        path, function = package_path(frame.at.path), frame.at.function.rpartition(".")[2]
        if position is Position.STATEMENT:
            if any(path == where and function in functions for where, functions in _FLUSH):
                return Position.FLUSH
            if path == "django/db/transaction.py" and function == "__enter__":
                return Position.FIRST_STATEMENT
        told = _told_by(frame)
        if told is Position.CONNECT and path.startswith(("sqlalchemy/", "mysql/connector/", "pymysql/", "aiomysql/")):
            return Position.CONNECT
        if position in (Position.STATEMENT, Position.FETCH) and told in (
            Position.COMMIT,
            Position.ROLLBACK,
            Position.CHECKOUT,
            Position.FIRST_STATEMENT,
        ):
            position = told
    return position
