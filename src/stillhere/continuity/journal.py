"""The journal: what the open transaction has done so far, and what the application saw of it."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from stillhere.continuity.statement import Kind, Statement

if TYPE_CHECKING:
    from stillhere.drivers.base import Outcome

__all__ = ["Digest", "Entry", "Journal", "difference", "digest"]

# Up to so many rows of immutable values are kept by reference, which costs nothing, and digested only
# if they are ever compared; more are digested at once, so that a transaction doesn't hold them all.
_KEPT_ROWS = 100


class Digest(bytes):
    """Stands in for rows."""

    __slots__ = ()


class Entry(NamedTuple):
    """One statement of the transaction.

    Attributes:
        sql: the bytes that were sent, with all values in them.
        statement: what kind of statement it is.
        cursor_class: the driver's class of the cursor that ran it; None for a call on the connection.
        outcome: what the application could see; None where the server answered an error.
        errno: that error's number; 0 for none.
    """

    sql: bytes
    statement: Statement
    cursor_class: type[Any] | None
    outcome: Outcome | None
    errno: int


class Journal:
    """The statements of one transaction, in order, within limits.

    Attributes:
        entries: what was recorded.
        spoiled: why the transaction can't be replayed; empty while it can.
        began: monotonic time of the first statement; 0 before it.
        writes: whether a recorded statement wrote.
        locks: whether a recorded statement took row locks by reading.
    """

    __slots__ = ("_max_bytes", "_max_entries", "_size", "began", "entries", "locks", "spoiled", "writes")

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self.entries: list[Entry] = []
        self._size = 0
        self.spoiled = ""
        self.began = 0.0
        self.writes = False
        self.locks = False

    def __bool__(self) -> bool:
        """Whether the transaction has begun: it did something, replayable or not."""
        return bool(self.entries) or bool(self.spoiled)

    @property
    def size(self) -> int:
        """Bytes of the statements recorded."""
        return self._size

    def add(self, entry: Entry, now: float) -> None:
        """Record a finished statement; past a limit only that there was one."""
        statement = entry.statement
        if not self.began:
            self.began = now
        if statement.kind is not Kind.READ:
            self.writes = self.writes or statement.kind is Kind.WRITE
        elif statement.locking:
            self.locks = True
        if self.spoiled:
            return
        self._size += len(entry.sql)
        if self._size > self._max_bytes:
            self.spoil(f"its statements exceed journal_bytes = {self._max_bytes}", now)
        elif len(self.entries) >= self._max_entries:
            self.spoil(f"it has more than journal_statements = {self._max_entries} statements", now)
        elif entry.outcome is not None and not _may_be_kept(entry.outcome.rows):
            kept = entry.outcome._replace(rows=digest(entry.outcome.rows))
            self.entries.append(entry._replace(outcome=kept))
        else:
            self.entries.append(entry)

    def spoil(self, reason: str, now: float) -> None:
        """The transaction goes on, and can't be replayed any more; the first reason stays.

        Session statements among the entries are kept, since the server keeps them at the end of the transaction.
        """
        if not self.spoiled:
            self.spoiled = reason
            self.began = self.began or now
            self.entries = [entry for entry in self.entries if is_session_statement(entry.statement)]

    def end(self) -> list[Entry]:
        """The transaction is over: forget it, and return its session statements, which outlive it."""
        session = [e for e in self.entries if e.errno == 0 and is_session_statement(e.statement)]
        self.entries = []
        self._size = 0
        self.spoiled = ""
        self.began = 0.0
        self.writes = self.locks = False
        return session


def is_session_statement(statement: Statement) -> bool:
    """Whether its effect belongs to the session, so that neither COMMIT nor ROLLBACK ends it."""
    return statement.kind in {Kind.SET, Kind.USE}


def digest(rows: Any) -> Digest:
    """Rows by type and value.

    ``repr`` tells 1 from True, 1.0 and Decimal('1'), and a float exactly; ``hash()`` would do neither.
    Values without a faithful ``repr`` make two digests differ, which refuses a replay and never accepts one.
    """
    if isinstance(rows, Digest):
        return rows
    return Digest(blake2b(repr(rows).encode("utf-8", "surrogatepass"), digest_size=16).digest())


def difference(entry: Entry, outcome: Outcome | None, errno: int) -> str:  # noqa: PLR0911 - one for each thing seen
    """What of a statement came out differently the second time; empty when nothing did. Never a value."""
    if entry.errno != errno:
        return f"error number {errno or 'none'} where it was {entry.errno or 'none'}"
    before = entry.outcome
    if before is None or outcome is None:
        return ""
    if (before.rows is None) != (outcome.rows is None) or (
        before.rows is not None and digest(before.rows) != digest(outcome.rows)
    ):
        return "rows"
    if before.rowcount != outcome.rowcount:
        return "row count"
    insert = entry.statement.insert
    # After INSERT … RETURNING the drivers report a stale id of an earlier statement; the rows have the real one.
    if before.lastrowid != outcome.lastrowid and not (insert is not None and insert.returning):
        return "lastrowid"
    if before.description != outcome.description:
        return "columns"
    if before.warnings != outcome.warnings:
        return "warning count"
    return "info" if before.info != outcome.info else ""


def _may_be_kept(rows: Any) -> bool:
    """Whether rows can be kept as they are: few, and in tuples, which the application can't change."""
    if rows is None:
        return True
    return type(rows) is tuple and len(rows) <= _KEPT_ROWS and (not rows or type(rows[0]) is tuple)
