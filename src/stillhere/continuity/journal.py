"""The journal: what the open transaction has done so far, and what the application saw of it."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from stillhere.continuity.statement import Kind, Statement
from stillhere.drivers.base import Outcome

__all__ = ["Digest", "Entry", "Journal", "difference", "digest"]

# Up to so many rows of immutable values are kept by reference, which costs nothing, and digested only
# if they are ever compared; more are digested at once, so that a transaction doesn't hold them all.
_KEPT_ROWS = 100
# A member of an enum is looked up by way of its metaclass each time; a global isn't.
_WRITE, _SET, _USE = Kind.WRITE, Kind.SET, Kind.USE
# An entry's own fields and those of its outcome; where there is none, this in its place.
_FIELDS = 4 + len(Outcome._fields)
_UNSEEN = object()
_NOT_SEEN = (_UNSEEN,) * len(Outcome._fields)


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
        spoiled: why the transaction can't be replayed; empty while it can.
        began: monotonic time of the first statement; 0 before it.
        writes: whether a recorded statement wrote.
        locks: whether a recorded statement took row locks by reading.
    """

    __slots__ = (
        "_max_bytes",
        "_max_entries",
        "_max_fields",
        "_raw",
        "_session",
        "_size",
        "began",
        "locks",
        "spoiled",
        "writes",
    )

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._max_fields = max_entries * _FIELDS
        # The fields of every entry, one after the other: records of their own would cost more than everything
        # else here, in time, in memory, and in work for the garbage collector.
        self._raw: list[Any] = []
        self._size = 0
        # Whether there are session statements among them: mostly not, and then nobody looks for them.
        self._session = False
        self.spoiled = ""
        self.began = 0.0
        self.writes = False
        self.locks = False

    def __bool__(self) -> bool:
        """Whether the transaction has begun: it did something, replayable or not."""
        return bool(self._raw) or bool(self.spoiled)

    @property
    def entries(self) -> list[Entry]:
        """What was recorded, in order."""
        return [
            Entry(sql, statement, cursor, Outcome._make(seen) if seen[0] is not _UNSEEN else None, errno)
            for sql, statement, cursor, errno, *seen in self._records()
        ]

    @property
    def size(self) -> int:
        """Bytes of the statements recorded."""
        return self._size

    def add(
        self,
        sql: bytes,
        statement: Statement,
        cursor_class: type[Any] | None,
        seen: tuple[Any, ...] | None,
        errno: int,
        now: float,
    ) -> None:
        """Record a finished statement; past a limit only that there was one. The arguments are an `Entry`'s.

        Args:
            sql: the bytes that were sent.
            statement: what kind of statement it is.
            cursor_class: the driver's class of the cursor that ran it.
            seen: the fields of the `Outcome`; None where the server answered an error, or nobody looked.
            errno: that error's number.
            now: the time at which it was sent, on the monotonic clock.
        """
        if not self.began:
            self.began = now
        if statement.kind is _WRITE:
            self.writes = True
        elif statement.locking:
            self.locks = True
        raw = self._raw
        size = self._size + len(sql)
        if self.spoiled or size > self._max_bytes or len(raw) >= self._max_fields:
            self._add_session_only((sql, statement, cursor_class, errno), size, now)
            return
        self._size = size
        if not statement.plain and is_session_statement(statement):
            self._session = True
        if seen is not None:
            rows = seen[0]
            # Few rows in tuples, which the application can't change, are kept as they are.
            if rows is not None and not (
                type(rows) is tuple and len(rows) <= _KEPT_ROWS and (not rows or type(rows[0]) is tuple)
            ):
                seen = (digest(rows), *seen[1:])
        raw += (sql, statement, cursor_class, errno)
        raw += _NOT_SEEN if seen is None else seen

    def _records(self) -> list[list[Any]]:
        raw = self._raw
        return [raw[start : start + _FIELDS] for start in range(0, len(raw), _FIELDS)]

    def _add_session_only(self, raw: tuple[bytes, Statement, type[Any] | None, int], size: int, now: float) -> None:
        """It can't be replayed, or can't from now on."""
        if size > self._max_bytes:
            self.spoil(f"its statements exceed journal_bytes = {self._max_bytes}", now)
        else:
            self.spoil(f"it has more than journal_statements = {self._max_entries} statements", now)
        if is_session_statement(raw[1]):
            self._session = True
            self._raw += raw + _NOT_SEEN

    def spoil(self, reason: str, now: float) -> None:
        """The transaction goes on, and can't be replayed any more; the first reason stays.

        Session statements are kept, also those that follow: the server keeps them at the end of the transaction.
        """
        if not self.spoiled:
            self.spoiled = reason
            self.began = self.began or now
            kept = [record for record in self._records() if is_session_statement(record[1])] if self._session else []
            self._raw = [field for record in kept for field in record]

    def end(self) -> list[bytes]:
        """The transaction is over: forget it, and return its session statements, which outlive it."""
        session = []
        if self._session:
            records = self._records()
            session = [sql for sql, of, _, errno, *_ in records if errno == 0 and is_session_statement(of)]
        self._raw = []
        self._size = 0
        self._session = False
        self.spoiled = ""
        self.began = 0.0
        self.writes = self.locks = False
        return session


def is_session_statement(statement: Statement) -> bool:
    """Whether its effect belongs to the session, so that neither COMMIT nor ROLLBACK ends it."""
    return statement.kind is _SET or statement.kind is _USE


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
