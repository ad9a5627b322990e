"""The cursor classes of the fake driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stillhere.testing.fake_errors import ProgrammingError
from stillhere.testing.fake_session import Step
from stillhere.testing.fake_tables import Reply

__all__ = ["Cursor", "DictCursor", "SSCursor"]

_VALUES = re.compile(r"\A(.*\bVALUES\s*)(\([^)]*\))\s*\Z", re.IGNORECASE | re.DOTALL)


class Cursor:
    """A buffered cursor."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: Any = None
        self.warning_count = 0
        self.arraysize = 1
        self.rownumber = 0
        self._rows: Any = None

    def execute(self, query: Any, args: Any = None) -> Any:
        """Run a statement."""
        while self.nextset():
            pass
        if args is not None:
            text = query.decode() if isinstance(query, bytes) else query
            many = {key: self._literal(value) for key, value in args.items()} if isinstance(args, dict) else None
            query = text % (many if many is not None else tuple(map(self._literal, args)))
        return self._query(query)

    def executemany(self, query: str, args: Any) -> Any:
        """Run a statement for many rows; an INSERT's are sent in one batch."""
        match = _VALUES.match(query)
        if match is not None:
            rows = ", ".join(match[2] % tuple(map(self._literal, row)) for row in args)
            self.rowcount = self.execute(bytearray((match[1] + rows).encode()))
        else:
            self.rowcount = sum(self.execute(query, row) for row in args)
        return self.rowcount

    def callproc(self, name: str, args: Any = ()) -> Any:
        """CALL a procedure."""
        self._query(f"CALL {name}({', '.join(map(self._literal, args))})")
        return args

    def nextset(self) -> Any:
        """Advance to the next result set."""
        if self._get().next_result() == -1:
            return None
        self._show()
        return True

    def fetchone(self) -> Any:
        """The next row."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows."""
        if self._rows is None:
            raise ProgrammingError("there is no result set")
        start = self.rownumber
        self.rownumber = min(len(self._rows), start + (size or self.arraysize))
        return self._rows[start : self.rownumber]

    def fetchall(self) -> Any:
        """All rows that are left."""
        return self.fetchmany(len(self._rows) + 1 if self._rows is not None else 1)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchone, None)

    def close(self) -> None:
        """Close; result sets not yet read are thrown away."""
        if self.connection is not None:
            try:
                while self.connection.open and self.nextset():
                    pass
            finally:
                self.connection = None

    def setinputsizes(self, *_args: Any) -> None:
        """PEP 249: does nothing."""

    def _get(self) -> Any:
        if self.connection is None:
            raise ProgrammingError("the cursor is closed")
        return self.connection

    def _literal(self, value: Any) -> str:
        return str(self._get().literal(value))

    def _query(self, q: Any) -> Any:
        connection = self._get()
        self._rows, self.description, self.rownumber = None, None, 0
        connection.query(q)
        self._show()
        return self.rowcount

    def _show(self) -> None:
        reply: Reply = self.connection.reply
        self.rowcount, self.lastrowid, self.warning_count = reply.affected, reply.lastrowid, reply.warnings
        self.rownumber = 0
        if reply.rows is None:
            self.description, self._rows = None, None
        else:
            self.description = tuple((name, 3, None, None, None, None, True) for name in reply.columns)
            self._rows = self._shaped(reply)

    def _shaped(self, reply: Reply) -> Any:
        return reply.rows


class DictCursor(Cursor):
    """Rows as dictionaries, which the application may change."""

    def _shaped(self, reply: Reply) -> Any:
        return [dict(zip(reply.columns, row, strict=True)) for row in reply.rows or ()]


class SSCursor(Cursor):
    """Leaves its rows on the server: each fetch may meet a loss (`Step.ROWS`, match ``fetch``)."""

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, from the server."""
        connection = self._get()
        connection._require()  # noqa: SLF001 - two classes of one driver
        connection._maybe_break(Step.ROWS, b"fetch")  # noqa: SLF001 - as above
        return super().fetchmany(size)
