"""mysqlclient (module ``MySQLdb``): a C extension over MariaDB's or MySQL's client library."""

from __future__ import annotations

import contextlib
from typing import Any

from stillhere.drivers.base import Driver, DriverTraits, shut_down


class Mysqlclient(Driver):
    """mysqlclient 2.2 and later.

    Facts that the code rests on, each seen on MariaDB Connector/C 3.3: ``close`` before ``__init__`` is
    needed, else the descriptor leaks; after a loss ``fileno()`` goes on giving the old number, so it is
    asked only right after opening; ``next_result()`` on a lost connection answers -1 without I/O.
    """

    name = "mysqlclient"
    module = "MySQLdb"
    package = "mysqlclient"
    traits = DriverTraits("MySQLdb", frozenset({2006}))

    @property
    def connection_class(self) -> type[Any]:
        """``MySQLdb.connections.Connection``."""
        from MySQLdb.connections import Connection  # noqa: PLC0415 - optional package

        return Connection  # type: ignore[no-any-return]

    def is_streaming(self, cursor_class: type[Any]) -> bool:
        """Whether the class reads with ``mysql_use_result``."""
        from MySQLdb.cursors import CursorUseResultMixIn  # noqa: PLC0415 - optional package

        return issubclass(cursor_class, CursorUseResultMixIn)

    def close(self, connection: Any) -> None:
        """``mysql_close``: COM_QUIT where the socket still works."""
        with contextlib.suppress(Exception):
            self.connection_class.close(connection)

    def discard(self, connection: Any) -> None:
        """Shut the socket down first, so that neither COM_QUIT nor TLS's farewell can block."""
        with contextlib.suppress(Exception):
            if connection.open:
                shut_down(connection.fileno())
        self.close(connection)

    def fetch(self, connection: Any, sql: bytes) -> list[tuple[Any, ...]]:
        """``mysql_query`` and ``mysql_store_result`` on the C type itself."""
        self.connection_class.query(connection, sql)
        result = connection.store_result()
        return list(result.fetch_row(0, 0)) if result is not None else []

    def observe(self, connection: Any, cursor: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """From the cursor, which has copied it from the connection."""
        return (
            cursor._rows,  # noqa: SLF001 - the buffered rows have no public name
            cursor.rowcount,
            cursor.lastrowid,
            cursor.description,
            cursor.warning_count,
            connection.info(),
        )

    def more_results(self, connection: Any) -> bool:
        """``mysql_more_results``; it refuses a closed connection."""
        return bool(connection.open and connection.more_results())

    def descriptor(self, connection: Any) -> int:
        """``fileno()``, true only while the connection is known to be good."""
        return int(connection.fileno())

    def thread_id(self, connection: Any) -> int:
        """``mysql_thread_id``."""
        return int(connection.thread_id())

    def server_version(self, connection: Any) -> str:
        """``mysql_get_server_info``."""
        return str(connection.get_server_info())

    def encoding(self, connection: Any) -> str:
        """The codec that the cursor encodes with."""
        return str(connection.encoding)

    def read_timeout(self, kwargs: dict[str, Any]) -> float:
        """``read_timeout``, whole seconds; 0 for none."""
        return float(kwargs.get("read_timeout") or 0)


MYSQLCLIENT = Mysqlclient()
