"""PyMySQL (module ``pymysql``): pure Python."""

from __future__ import annotations

import contextlib
from typing import Any

from stillhere.drivers.base import Driver, DriverTraits


class PyMySQL(Driver):
    """PyMySQL 1.1 and later.

    It closes its socket at the first error and answers ``InterfaceError (0, '')`` from then on. Its 2006
    is raised in a failed ``sendall`` alone, and so proves that the statement didn't arrive whole; except
    while a LOAD DATA LOCAL file is being sent, where the statement has arrived.
    """

    name = "pymysql"
    module = "pymysql"
    package = "PyMySQL"
    traits = DriverTraits("pymysql", frozenset({2006}))

    @property
    def connection_class(self) -> type[Any]:
        """``pymysql.connections.Connection``."""
        from pymysql.connections import Connection  # noqa: PLC0415 - optional package

        return Connection

    def is_streaming(self, cursor_class: type[Any]) -> bool:
        """Whether the class derives from ``SSCursor``."""
        from pymysql.cursors import SSCursor  # noqa: PLC0415 - optional package

        return issubclass(cursor_class, SSCursor)

    def is_quiet(self, cursor_class: type[Any]) -> bool:
        """Whether it has ``Cursor``'s own ``nextset``, which only looks; it is asked twice around each statement."""
        from pymysql.cursors import Cursor  # noqa: PLC0415 - optional package

        return cursor_class.nextset is Cursor.nextset

    def close(self, connection: Any) -> None:
        """COM_QUIT where the socket still works, then close."""
        with contextlib.suppress(Exception):
            self.connection_class.close(connection)

    def discard(self, connection: Any) -> None:
        """Close the socket without COM_QUIT.

        A result that was being streamed would try to read its rest when it is collected.
        """
        result = getattr(connection, "_result", None)
        if result is not None:
            result.unbuffered_active = False
            result.connection = None
        with contextlib.suppress(Exception):
            connection._force_close()  # noqa: SLF001 - the only way that doesn't write

    def fetch(self, connection: Any, sql: bytes) -> list[tuple[Any, ...]]:
        """``Connection.query``, buffered."""
        self.connection_class.query(connection, sql)
        result = connection._result  # noqa: SLF001 - where the driver keeps what it read
        return list(result.rows) if result is not None and result.rows is not None else []

    def observe(self, connection: Any, cursor: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """From the cursor; the info string from the result that it came of."""
        result = connection._result  # noqa: SLF001 - where the driver keeps what it read
        return (
            cursor._rows,  # noqa: SLF001 - the buffered rows have no public name
            cursor.rowcount,
            cursor.lastrowid,
            cursor.description,
            cursor.warning_count,
            result.message if result is not None else None,
        )

    def more_results(self, connection: Any) -> bool:
        """The flag of the last result read."""
        result = connection._result  # noqa: SLF001 - where the driver keeps what it read
        return result is not None and bool(result.has_next)

    def descriptor(self, connection: Any) -> int:
        """The descriptor of the raw socket, under TLS too."""
        sock = connection._sock  # noqa: SLF001 - not public
        return int(sock.fileno()) if sock is not None else -1

    def thread_id(self, connection: Any) -> int:
        """From the server's handshake."""
        return int(connection.thread_id())

    def server_version(self, connection: Any) -> str:
        """From the server's handshake."""
        return str(connection.get_server_info())

    def encoding(self, connection: Any) -> str:
        """The codec that the connection encodes with."""
        return str(connection.encoding)

    def encode(self, connection: Any, sql: str) -> bytes:
        """Before 1.2, PyMySQL put the bytes of a parameter into the text as surrogates, and took them out here."""
        errors = "surrogateescape" if self.dbapi.VERSION[:2] < (1, 2) else "strict"
        return sql.encode(self.encoding(connection), errors)

    def is_closed_error(self, error: BaseException) -> bool:
        """``InterfaceError (0, '')``, or ``Error ("Already closed")`` from ``ping``."""
        from pymysql.err import Error, InterfaceError  # noqa: PLC0415 - optional package

        if isinstance(error, InterfaceError):
            return bool(error.args) and error.args[0] == 0
        return type(error) is Error

    def read_timeout(self, kwargs: dict[str, Any]) -> float:
        """``read_timeout`` in seconds; 0 for none."""
        return float(kwargs.get("read_timeout") or 0)


PYMYSQL = PyMySQL()
