"""A PEP 249 driver without a network, whose server is a `stillhere.testing.fake_server.FakeServer`.

The module is the driver, as ``MySQLdb`` and ``pymysql`` are: `connect`, the exceptions, and the connection and
cursor classes, with the calls that both of those have. `FAKE` is what stillhere knows of it. ::

    server = FakeServer()
    endpoint = Endpoint(FAKE, Policy(), "fake:1")
    connection = endpoint.connect(lambda: fake_driver.connect(server=server))
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any, NoReturn

from stillhere.drivers.base import Driver, DriverTraits, shut_down
from stillhere.testing.fake_cursors import Cursor, DictCursor, SSCursor
from stillhere.testing.fake_errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 - PEP 249 names it
)
from stillhere.testing.fake_server import Break, FakeServer, FakeSession, Step
from stillhere.testing.fake_tables import Reply, ServerError

__all__ = [
    "FAKE",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "DictCursor",
    "Error",
    "FakeDriver",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "SSCursor",
    "Warning",
    "connect",
]  # fmt: skip

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"

_QUIT = b"\x01"
_QUERY = b"\x03"
_SHOWN = 256
_LOST = {2006: "Server has gone away", 2013: "Lost connection to server during query"}
# With these the server closes the connection behind its reply.
_FAREWELLS = frozenset({1053, 1153, 1927, 3169, 4031})


_CLASSES: dict[int, type[DatabaseError]] = {1062: IntegrityError, 1064: ProgrammingError, 1146: ProgrammingError}


class Connection:
    """One connection. Like PyMySQL's it closes its socket at the first loss, and says ``(0, '')`` from then on.

    Args:
        server: whose.
        user: under which name.
        autocommit: as in both drivers, off unless asked for.
        cursorclass: of the cursors that it makes.
        read_timeout: seconds; nothing waits here, it is only there to be asked for.
        **_options: accepted and ignored.
    """

    def __init__(
        self,
        *,
        server: FakeServer,
        user: str = "app",
        autocommit: bool = False,
        cursorclass: type[Cursor] | None = None,
        read_timeout: float = 0,
        **_options: Any,
    ) -> None:
        self.server = server
        self.cursorclass = cursorclass or Cursor
        self.encoding = "utf-8"
        self.charset = "utf8mb4"
        self.read_timeout = read_timeout
        self.pending: tuple[Reply, ...] = ()
        self.reply = Reply()
        self._wire: socket.socket | None = None
        planned = server.breaking(Step.CONNECT, b"")
        if planned is not None:
            if planned.then is not None:
                planned.then()
            raise _exception(planned)
        try:
            self.session, self._wire = server.connect(user, autocommit=autocommit)
        except ServerError as error:
            raise OperationalError(*error.args) from None

    @property
    def open(self) -> bool:
        """Whether there is a socket."""
        return self._wire is not None

    def cursor(self, cursorclass: type[Cursor] | None = None) -> Cursor:
        """A cursor."""
        return (cursorclass or self.cursorclass)(self)

    def query(self, sql: str | bytes) -> int:
        """Send a statement and read its reply, or as far into it as a break allows."""
        sql = sql.encode(self.encoding) if isinstance(sql, str) else bytes(sql)
        wire = self._require()
        self._maybe_break(Step.SEND, sql)
        try:
            wire.send(_QUERY + sql[:_SHOWN])
        except OSError:
            self._lose(2013)  # as over TCP, where the first write to a peer that is gone succeeds
        self._maybe_break(Step.HALF_SENT, sql)
        session = self.session
        if not session.alive or not session.read_wire():
            self._lose(2013)
        self._run(session, sql)
        if self.reply.rows is not None:
            self._maybe_break(Step.ROWS, sql)
        return self.reply.affected

    def _run(self, session: FakeSession, sql: bytes) -> None:
        session.command = "Query"
        try:
            reply = self.server.execute(session, sql)
        except ServerError as error:
            session.command = "Sleep"
            self.pending, self.reply = (), Reply()
            if error.errno in _FAREWELLS and session.alive:
                self.server.cut(session.thread_id)
            raise _CLASSES.get(error.errno, OperationalError)(*error.args) from None
        self._maybe_break(Step.REPLY, sql)
        with contextlib.suppress(BlockingIOError):
            if not self._require().recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                self._lose(2013)
        session.command = "Sleep"
        self.reply, self.pending = reply, reply.more

    def _require(self) -> socket.socket:
        if self._wire is None:
            raise InterfaceError(0, "")
        return self._wire

    def _maybe_break(self, step: Step, sql: bytes) -> None:
        planned = self.server.breaking(step, sql)
        if planned is None:
            return
        error = _exception(planned)
        if isinstance(planned.error, BaseException) and not isinstance(planned.error, Error):
            self.session.wire.send(b"the rest of a reply")
            self.session.ghost = planned.ghost
            if planned.then is not None:
                planned.then()
            raise error
        self.server.broke(planned, self.session)
        self._force_close()
        raise error

    def _lose(self, errno: int) -> NoReturn:
        self._force_close()
        raise OperationalError(errno, _LOST[errno])

    def _force_close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def close(self) -> None:
        """Say QUIT where the socket still works, and close."""
        if self._wire is not None:
            with contextlib.suppress(OSError):
                self._wire.send(_QUIT)
            self._force_close()

    def __del__(self) -> None:
        self.close()

    def commit(self) -> None:
        """COMMIT."""
        self.query(b"COMMIT")

    def rollback(self) -> None:
        """ROLLBACK."""
        self.query(b"ROLLBACK")

    def begin(self) -> None:
        """BEGIN."""
        self.query(b"BEGIN")

    def autocommit(self, on: Any) -> None:
        """Switch autocommit."""
        self.query(b"SET autocommit=%d" % bool(on))

    def get_autocommit(self) -> bool:
        """As the server says it."""
        return self.session.autocommit

    def select_db(self, db: Any) -> None:
        """Change the default database."""
        self.query(b"USE `" + (db.encode() if isinstance(db, str) else db) + b"`")

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """SET NAMES, and encode by it."""
        self.query(f"SET NAMES {charset}" + (f" COLLATE {collation}" if collation else ""))
        self.charset = charset
        self.encoding = "latin-1" if charset == "latin1" else "utf-8"

    def character_set_name(self) -> str:
        """The connection's character set."""
        return self.charset

    def change_user(self, user: str, *_args: Any, **_kwargs: Any) -> None:
        """Become another user."""
        self.session.user = user

    def ping(self, reconnect: bool = False) -> None:  # noqa: ARG002 - the drivers' signature
        """A round trip."""
        self.query(b"SELECT 1")

    def next_result(self, *_args: Any, **_kwargs: Any) -> int:
        """Advance to the next result set: 0, or -1 where there is none."""
        if not self.pending:
            return -1
        self._require()
        self._maybe_break(Step.ROWS, b"next_result")
        (self.reply, *rest) = self.pending
        self.pending = tuple(rest)
        return 0

    def thread_id(self) -> int:
        """The server's number for this connection."""
        return self.session.thread_id

    def get_server_info(self) -> str:
        """The server's version."""
        return self.server.version

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return self._require().fileno()

    def literal(self, value: Any) -> str:
        """A value as SQL."""
        if value is None:
            return "NULL"
        return str(int(value)) if isinstance(value, bool) else _quoted(value)


class FakeDriver(Driver):
    """What stillhere knows of this module."""

    name = "fake"
    module = "stillhere.testing.fake_driver"
    package = "stillhere"
    traits = DriverTraits("fake", frozenset({2006}))

    @property
    def connection_class(self) -> type[Any]:
        """`Connection`."""
        return Connection

    def is_streaming(self, cursor_class: type[Any]) -> bool:
        """Whether the class derives from `SSCursor`."""
        return issubclass(cursor_class, SSCursor)

    def close(self, connection: Any) -> None:
        """QUIT, and close."""
        Connection.close(connection)

    def discard(self, connection: Any) -> None:
        """Close without a word."""
        if connection.open:
            shut_down(connection.fileno())
            connection._force_close()  # noqa: SLF001 - the only way that doesn't write

    def fetch(self, connection: Any, sql: bytes) -> list[tuple[Any, ...]]:
        """One statement beneath all continuity."""
        Connection.query(connection, sql)
        return list(connection.reply.rows or ())

    def observe(self, connection: Any, cursor: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """From the cursor."""
        return (
            cursor._rows,  # noqa: SLF001 - as the real drivers do
            cursor.rowcount,
            cursor.lastrowid,
            cursor.description,
            cursor.warning_count,
            connection.reply.info,
        )

    def more_results(self, connection: Any) -> bool:
        """Whether another result set waits."""
        return bool(connection.pending)

    def descriptor(self, connection: Any) -> int:
        """The client's end of the socket pair; -1 when closed."""
        return int(connection.fileno()) if connection.open else -1

    def thread_id(self, connection: Any) -> int:
        """The server's number."""
        return int(connection.thread_id())

    def server_version(self, connection: Any) -> str:
        """As the server says it."""
        return str(connection.get_server_info())

    def encoding(self, connection: Any) -> str:
        """Set by the character set."""
        return str(connection.encoding)

    def is_closed_error(self, error: BaseException) -> bool:
        """``InterfaceError (0, '')``."""
        return isinstance(error, InterfaceError) and error.args[:1] == (0,)

    def read_timeout(self, kwargs: dict[str, Any]) -> float:
        """``read_timeout``."""
        return float(kwargs.get("read_timeout") or 0)


FAKE = FakeDriver()


def connect(**kwargs: Any) -> Any:
    """PEP 249; see `Connection` for the arguments."""
    return Connection(**kwargs)


def _exception(planned: Break) -> BaseException:
    """What the client meets at a break."""
    if isinstance(planned.error, BaseException):
        return planned.error
    error = OperationalError(planned.error, _LOST.get(planned.error, "Lost"))
    if planned.client_timeout:
        error.__cause__ = TimeoutError("timed out")
    return error


def _quoted(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)
