"""Session state: what the application set on its connection, to be set again on the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from stillhere.drivers.base import Driver

__all__ = ["SessionState", "Step", "reading_mode"]

# Settings that change how later statements are read: their place in the order matters.
_ORDERED = (b"sql_mode", b"names", b"character", b"collation")


class Step(NamedTuple):
    """One thing to do again, in order.

    Attributes:
        sql: the statement as it was sent; empty for a character set.
        charset: arguments of ``set_character_set``, which tells the driver as well as the server.
    """

    sql: bytes = b""
    charset: tuple[Any, ...] = ()


class SessionState:
    """The prologue, then every session statement in the order in which the server accepted them.

    The prologue is what ran before the application first had the connection in hand (a pool's
    ``connect`` listeners). The history is never reordered. A statement is forgotten only when the very same
    one is accepted again, and not where its place among others may matter; so that an application which
    sets its isolation level at each request doesn't grow it for ever. Past ``limit`` steps it can't be
    restored, which `overflowing` tells.

    Attributes:
        pins: session state that can't be restored, by name, such as ``GET_LOCK``.
        in_prologue: whether the application has not had the connection in hand yet.
        sql_mode: what of the SQL mode set by the application changes how statements are read; None while it set none.
        one_shot: a ``SET TRANSACTION`` that waits for the next transaction; None for none.
    """

    limit = 1000

    def __init__(self) -> None:
        self._prologue: list[Step] = []
        self.in_prologue = True
        self._steps: list[Step] = []
        self.pins: dict[str, None] = {}
        self.one_shot: Step | None = None
        self.sql_mode: str | None = None

    def __len__(self) -> int:
        return len(self._prologue) + len(self._steps)

    @property
    def overflowing(self) -> bool:
        """Whether there is more than can be restored."""
        return len(self) > self.limit

    def end_prologue(self) -> None:
        """The application has the connection in hand; a second call changes nothing."""
        self.in_prologue = False

    def accept(self, step: Step) -> None:
        """The server accepted this session statement."""
        if b"sql_mode" in step.sql.lower():
            self.sql_mode = reading_mode(step.sql.decode("latin-1").upper())
        if self.in_prologue:
            self._prologue.append(step)
            return
        if step in self._steps and not _order_matters(step):
            self._steps.remove(step)
        elif self._steps and self._steps[-1] == step:
            return
        self._steps.append(step)

    def steps(self) -> tuple[Step, ...]:
        """All that `restore` does, in order; without the waiting one-shot."""
        return (*self._prologue, *self._steps)

    def restore(self, driver: Driver, connection: Any) -> None:
        """Do every step again on a connection just opened; errors are the driver's."""
        for step in self.steps():
            perform(step, driver, connection)
        if self.one_shot is not None:
            perform(self.one_shot, driver, connection)

    def forget_pins(self) -> None:
        """The physical connection that held them is gone, and the application was told."""
        self.pins.clear()


def perform(step: Step, driver: Driver, connection: Any) -> None:
    """Do one step beneath all continuity."""
    if step.charset:
        driver.connection_class.set_character_set(connection, *step.charset)
    else:
        driver.fetch(connection, step.sql)


def reading_mode(text: str) -> str:
    """Of a SQL mode in upper case, the parts that decide where a literal ends; empty for the usual reading.

    ``ANSI`` and the modes named after other products include ANSI_QUOTES; two of MariaDB's change the grammar.
    """
    parts = ["NO_BACKSLASH_ESCAPES"] if "NO_BACKSLASH_ESCAPES" in text else []
    if any(name in text for name in ("ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL")):
        parts.append("ANSI_QUOTES")
    if any(name in text for name in ("ORACLE", "MSSQL")):
        parts.append("OTHER_GRAMMAR")
    return ",".join(parts)


def _order_matters(step: Step) -> bool:
    text = step.sql.lower()
    return bool(step.charset) or any(word in text for word in _ORDERED)
