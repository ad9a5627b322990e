"""The server's side of one connection of the fake driver, and the breaks that can be planned for it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from stillhere.testing.fake_tables import ServerError, Work

if TYPE_CHECKING:
    from stillhere.testing.fake_server import FakeServer

__all__ = ["Break", "FakeSession", "Step"]


class Step(Enum):
    """Where a connection can be broken."""

    CONNECT = "instead of the server's greeting"
    SEND = "before a statement is sent"
    HALF_SENT = "after part of a statement was sent: the server never runs it"
    REPLY = "after the statement was executed and before its reply"
    ROWS = "in the middle of its rows, the first of which was read"


@dataclass(slots=True)
class Break:
    """One planned break.

    Attributes:
        step: where.
        match: in which statements: those that contain these bytes; empty for all.
        error: what the client meets: an error number, or an exception as it is.
        skip: how many that match are let pass first.
        times: how often it breaks.
        ghost: the server doesn't notice: thread, transaction and locks stay.
        client_timeout: the client stopped waiting; the error comes of a `TimeoutError`.
        then: called once it has broken, such as ``server.restart``.
    """

    step: Step
    match: bytes = b""
    error: int | BaseException = 2013
    skip: int = 0
    times: int = 1
    ghost: bool = False
    client_timeout: bool = False
    then: Callable[[], Any] | None = None

    def due(self, step: Step, sql: bytes) -> bool:
        """Whether it breaks now; it then counts as done."""
        if step is not self.step or self.match not in sql or self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(slots=True, eq=False)
class FakeSession:
    """The server's side of one connection.

    Attributes:
        wire: the server's end of the socket pair.
        variables: what SET has set.
        written: every byte that the client wrote.
    """

    server: FakeServer
    thread_id: int
    user: str
    host: str
    wire: socket.socket
    autocommit: bool = True
    explicit: bool = False
    read_only: bool = False
    alive: bool = True
    ghost: bool = False
    command: str = "Sleep"
    database: str = "app"
    forced_id: int = 0
    last_id: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    written: bytes = b""
    work: Work = field(default_factory=Work)

    @property
    def in_transaction(self) -> bool:
        """Whether what it writes now waits for a COMMIT."""
        return self.explicit or not self.autocommit

    def write(self, table: str, row: tuple[Any, ...]) -> None:
        """Write a row, for scripted answers that have side effects; 1792 in a read-only transaction."""
        if self.read_only:
            raise ServerError(1792, "Cannot execute statement in a READ ONLY transaction.")
        self.server.tables.put(table, row[0], row, self.work)
        self.settle()

    def settle(self) -> None:
        """Commit what is autocommitted."""
        if not self.in_transaction:
            self.server.tables.end(self.work, commit=True)

    def finish(self, *, commit: bool) -> None:
        """COMMIT or ROLLBACK."""
        self.server.tables.end(self.work, commit=commit)
        self.explicit = self.read_only = False

    def read_wire(self) -> bool:
        """Take in what the client wrote; whether its end is still open."""
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    some = self.wire.recv(65536)
                except OSError as error:
                    if isinstance(error, BlockingIOError):
                        raise
                    return False
                if not some:
                    return False
                self.written += some
        return True

    def end(self) -> None:
        """The thread ends: its transaction is rolled back, its socket closed."""
        self.alive = False
        self.ghost = False
        self.finish(commit=False)
        self.wire.close()
