"""What continuity needs of a driver: the one protocol, and what a driver may say about itself."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


@dataclass(frozen=True, slots=True)
class DriverTraits:
    """What a driver's errors prove, and what it can show.

    Attributes:
        name: the driver's module, for messages.
        write_errors: codes that the driver raises only when *writing* the command failed, so that the server
            can't have read it whole. A server executes a command only once its last byte is there.
    """

    name: str
    write_errors: frozenset[int] = frozenset()


class Outcome(NamedTuple):
    """All that the application could observe of a finished statement.

    Attributes:
        rows: the buffered rows as the driver holds them; None for a statement without a result set.
        rowcount: PEP 249 ``rowcount``.
        lastrowid: the generated id that the driver reports; 0 or None for none.
        description: PEP 249 ``description``.
        warnings: the server's warning count.
        info: the server's info string (``Rows matched: …``); None for none.
    """

    rows: Any
    rowcount: Any
    lastrowid: Any
    description: Any
    warnings: int
    info: Any


class Driver(ABC):
    """One PEP 249 driver whose connections can be re-opened in place.

    A connection of the driver is closed and its ``__init__`` called again on the same object: the
    application's reference stays good, and cursors go on pointing to it.

    Attributes:
        name: what users call it, and its registry name.
        module: the name of its PEP 249 module.
        package: what to install to have it.
        traits: what its errors prove.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    package: ClassVar[str]
    traits: ClassVar[DriverTraits]

    @property
    def dbapi(self) -> Any:
        """The driver's PEP 249 module, imported when first asked for."""
        return importlib.import_module(self.module)

    @property
    @abstractmethod
    def connection_class(self) -> type[Any]:
        """The driver's own connection class."""

    @abstractmethod
    def is_streaming(self, cursor_class: type[Any]) -> bool:
        """Whether cursors of that class leave their rows on the server until fetched."""

    def is_quiet(self, cursor_class: type[Any]) -> bool:  # noqa: ARG002 - for those that override it
        """Whether ``nextset`` of that class does nothing at all where no result set is left, and can be spared."""
        return False

    def open(self, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Open the physical connection inside ``connection``, which is new or closed."""
        self.connection_class.__init__(connection, *args, **kwargs)

    @abstractmethod
    def close(self, connection: Any) -> None:
        """Close the physical connection, politely where the socket still works; never raises."""

    @abstractmethod
    def discard(self, connection: Any) -> None:
        """Close the physical connection at once, without a word to the server; never raises."""

    @abstractmethod
    def fetch(self, connection: Any, sql: bytes) -> list[tuple[Any, ...]]:
        """Run one statement beneath all continuity, and return its rows; an empty list for none."""

    @abstractmethod
    def observe(self, connection: Any, cursor: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """What the application can observe now that ``cursor`` has run a statement to its end.

        The fields of an `Outcome`, as a bare tuple: this is on the hot path.
        """

    def outcome(self, connection: Any, cursor: Any) -> Outcome:
        """The same with names."""
        return Outcome._make(self.observe(connection, cursor))

    @abstractmethod
    def more_results(self, connection: Any) -> bool:
        """Whether another result set of the last statement waits to be read; asks nobody."""

    @abstractmethod
    def descriptor(self, connection: Any) -> int:
        """The socket's file descriptor; -1 where there is none."""

    @abstractmethod
    def thread_id(self, connection: Any) -> int:
        """The server's thread id of the physical connection."""

    @abstractmethod
    def server_version(self, connection: Any) -> str:
        """The version text of the server's handshake."""

    @abstractmethod
    def encoding(self, connection: Any) -> str:
        """The Python codec in which statements are sent."""

    def encode(self, connection: Any, sql: str) -> bytes:
        """A statement's text as the driver itself would send it.

        Raises:
            UnicodeEncodeError: the connection's character set has no such character.
        """
        return sql.encode(self.encoding(connection))

    def errno(self, error: BaseException) -> int:
        """The error number that an exception of the driver carries; 0 where it has none."""
        code = error.args[0] if error.args else 0
        return code if isinstance(code, int) else 0

    def is_closed_error(self, error: BaseException) -> bool:  # noqa: ARG002 - for those that override it
        """Whether this is how the driver says that the connection had been lost before."""
        return False

    @abstractmethod
    def read_timeout(self, kwargs: dict[str, Any]) -> float:
        """The client-side read timeout that the connect arguments ask for, in seconds; 0 for none."""

    def is_read_timeout(self, error: BaseException, elapsed: float, read_timeout: float) -> bool:
        """Whether ``error`` means that the client itself stopped waiting.

        Args:
            error: what the driver raised.
            elapsed: seconds between sending and the error.
            read_timeout: the client-side limit in seconds; 0 for none.
        """
        cause = error.__context__ or error.__cause__
        return isinstance(cause, TimeoutError) or bool(read_timeout and elapsed >= read_timeout * 0.98)


def as_text(value: Any) -> str:
    """A text that a server answered, which a driver gives as bytes or as text; empty for NULL."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def shut_down(descriptor: int) -> None:
    """End both directions of a socket that another object owns, without closing its descriptor."""
    with contextlib.suppress(OSError):
        duplicate = socket.socket(fileno=os.dup(descriptor))
        try:
            duplicate.shutdown(socket.SHUT_RDWR)
        finally:
            duplicate.close()


def set_peer_detection(descriptor: int, seconds: float) -> None:
    """Have the kernel give up on a silent peer after about ``seconds``, on a TCP socket.

    Keepalive finds a peer that is silent while we wait, ``TCP_USER_TIMEOUT`` one that no longer
    acknowledges what we send (tcp(7)). Both speak of the next hop only.
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    probe = socket.socket(fileno=os.dup(descriptor))
    try:
        if probe.family in (socket.AF_INET, socket.AF_INET6):
            interval = max(1, int(seconds / 3))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, interval)
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
    finally:
        probe.close()
        # With socket.setdefaulttimeout() a new socket object makes the shared open file non-blocking.
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
