"""A few tables in memory and just enough SQL to read and write them in transactions.

It stands behind `stillhere.testing.fake_server`. What isn't understood is a syntax error, never a guess.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["Reply", "ServerError", "Table", "Tables", "Work", "literal"]

_NAME = r"`?(?:\w+`?\.`?)?(?P<table>\w+)`?"
_WHERE = r"(?:\s+WHERE\s+`?(?:\w+\.)?(?P<key>\w+)`?\s*=\s*(?P<is>'[^']*'|[-\w.]+))?"
_INSERT = re.compile(
    rf"INSERT\s+INTO\s+{_NAME}\s*\((?P<columns>[^)]*)\)\s*VALUES\s*(?P<rows>.+?)(?:\s+RETURNING\s+(?P<back>.+))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_UPDATE = re.compile(rf"UPDATE\s+{_NAME}\s+SET\s+(?P<sets>.+?){_WHERE}\s*\Z", re.IGNORECASE | re.DOTALL)
_DELETE = re.compile(rf"DELETE\s+FROM\s+{_NAME}{_WHERE}\s*\Z", re.IGNORECASE | re.DOTALL)
_SELECT = re.compile(
    rf"SELECT\s+(?P<columns>.+?)\s+FROM\s+{_NAME}{_WHERE}"
    r"(?P<lock>\s+FOR\s+UPDATE(?:\s+NOWAIT|\s+SKIP\s+LOCKED)?)?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_SET = re.compile(
    r"\A\s*`?(?P<column>\w+)`?\s*=\s*(?:(?P<of>[A-Za-z]\w*)\s*(?P<sign>[+-])\s*)?(?P<value>'[^']*'|[-\w.]+)"
)
_TUPLE = re.compile(r"\(([^()]*)\)")
_VALUE = re.compile(r"\s*('(?:[^'\\]|\\.)*'|[^,]+)\s*(?:,|\Z)")


class ServerError(Exception):
    """An ERR packet: number and text. The connection lives on, unless the code says otherwise."""

    def __init__(self, errno: int, message: str = "") -> None:
        super().__init__(errno, message or f"error {errno}")
        self.errno = errno


@dataclass(slots=True)
class Reply:
    """What a server answers to one statement.

    Attributes:
        rows: of the result set; None for a statement without one.
        columns: their names.
        affected: rows affected, or found.
        lastrowid: the first id that was generated; 0 for none.
        warnings: the warning count.
        info: the info string.
        more: further result sets of the same statement.
    """

    rows: tuple[tuple[Any, ...], ...] | None = None
    columns: tuple[str, ...] = ()
    affected: int = 0
    lastrowid: int = 0
    warnings: int = 0
    info: str | None = None
    more: tuple[Reply, ...] = ()

    @classmethod
    def of(cls, *rows: tuple[Any, ...], columns: Iterable[str] = ()) -> Reply:
        """A result set of these rows."""
        names = tuple(columns) or tuple(f"c{number}" for number in range(len(rows[0]) if rows else 1))
        return cls(rows, names, len(rows))


@dataclass(slots=True)
class Table:
    """One table; the first column is the primary key.

    Attributes:
        columns: their names.
        auto: whether the server generates the key.
        engine: a name; anything but InnoDB keeps what was written whatever becomes of the transaction.
        rows: the committed ones, by key.
        next_id: the next generated key. Like a server's it isn't given back by ROLLBACK.
    """

    columns: tuple[str, ...]
    auto: bool = True
    engine: str = "InnoDB"
    rows: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    next_id: int = 1


@dataclass(slots=True)
class Work:
    """What one session has written and not committed, and what it has locked."""

    changes: list[tuple[str, Any, tuple[Any, ...] | None]] = field(default_factory=list)
    savepoints: dict[str, int] = field(default_factory=dict)


class Tables(dict[str, Table]):
    """Tables by name, with row locks. A lock that is taken is not waited for: 1205 at once."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[tuple[str, Any], Work] = {}

    def visible(self, name: str, work: Work) -> dict[Any, tuple[Any, ...]]:
        """The rows that a session sees: the committed ones, and its own."""
        rows = dict(self[name].rows)
        for table, key, row in work.changes:
            if table != name:
                continue
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        return rows

    def end(self, work: Work, *, commit: bool) -> None:
        """COMMIT or ROLLBACK."""
        if commit:
            for name, key, row in work.changes:
                if row is None:
                    self[name].rows.pop(key, None)
                else:
                    self[name].rows[key] = row
        work.changes.clear()
        work.savepoints.clear()
        self.locks = {where: owner for where, owner in self.locks.items() if owner is not work}

    def lock(self, name: str, key: Any, work: Work) -> None:
        """Take a row lock until the end of the transaction."""
        if self.locks.setdefault((name, key), work) is not work:
            raise ServerError(1205, "Lock wait timeout exceeded; try restarting transaction")

    def put(self, name: str, key: Any, row: tuple[Any, ...] | None, work: Work) -> None:
        """Write or delete one row."""
        table = self[name]
        if table.engine != "InnoDB":
            self.end(Work([(name, key, row)]), commit=True)
            return
        self.lock(name, key, work)
        work.changes.append((name, key, row))

    def run(self, sql: str, work: Work, forced_id: int = 0) -> Reply | None:
        """Run a statement that reads or writes; None for one that isn't understood."""
        for pattern, act in self._verbs():
            match = pattern.match(sql)
            if match is not None:
                if match["table"] not in self:
                    raise ServerError(1146, f"Table '{match['table']}' doesn't exist")
                return act(match, work, forced_id)
        return None

    def _verbs(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Work, int], Reply]], ...]:
        return ((_SELECT, self._select), (_INSERT, self._insert), (_UPDATE, self._update), (_DELETE, self._delete))

    def _select(self, match: re.Match[str], work: Work, _forced: int) -> Reply:
        table = self[match["table"]]
        wanted = [name.strip(" `\n").rpartition(".")[2].partition(" AS ")[0] for name in match["columns"].split(",")]
        names = table.columns if wanted == ["*"] else tuple(wanted)
        if names == ("COUNT(*)",):
            return Reply.of((len(self._found(match, work)),), columns=names)
        places = [table.columns.index(name) for name in names]
        found = self._found(match, work)
        if match["lock"]:
            for key in found:
                self.lock(match["table"], key, work)
        return Reply(tuple(tuple(row[at] for at in places) for row in found.values()), names, len(found))

    def _insert(self, match: re.Match[str], work: Work, forced: int) -> Reply:
        name, table = match["table"], self[match["table"]]
        columns = [column.strip(" `") for column in match["columns"].split(",")]
        first, keys = 0, []
        for text in _TUPLE.findall(match["rows"]):
            given = dict(zip(columns, (literal(value) for value in _VALUE.findall(text)), strict=True))
            key = given.get(table.columns[0])
            if key is None:
                key = forced or table.next_id
                forced = 0
                first = first or key
            table.next_id = max(table.next_id, key + 1) if isinstance(key, int) else table.next_id
            if key in self.visible(name, work):
                raise ServerError(1062, f"Duplicate entry '{key}' for key 'PRIMARY'")
            self.put(name, key, (key, *(given.get(column) for column in table.columns[1:])), work)
            keys.append(key)
        info = f"Records: {len(keys)}  Duplicates: 0  Warnings: 0" if len(keys) > 1 else None
        if match["back"]:
            rows = self.visible(name, work)
            places = [table.columns.index(back.strip(" `")) for back in match["back"].split(",")]
            shown = tuple(tuple(rows[key][at] for at in places) for key in keys)
            return Reply(shown, tuple(table.columns[at] for at in places), len(keys), 0, 0, info)
        return Reply(None, (), len(keys), first, 0, info)

    def _update(self, match: re.Match[str], work: Work, _forced: int) -> Reply:
        name, table = match["table"], self[match["table"]]
        found = self._found(match, work)
        changed = 0
        for key, row in found.items():
            values = list(row)
            for part in match["sets"].split(","):
                one = _SET.match(part)
                if one is None:
                    raise ServerError(1064, "syntax error in SET")
                at, value = table.columns.index(one["column"]), literal(one["value"])
                values[at] = values[at] + (value if one["sign"] == "+" else -value) if one["of"] else value
            changed += tuple(values) != row
            self.put(name, key, tuple(values), work)
        return Reply(affected=len(found), info=f"Rows matched: {len(found)}  Changed: {changed}  Warnings: 0")

    def _delete(self, match: re.Match[str], work: Work, _forced: int) -> Reply:
        found = self._found(match, work)
        for key in found:
            self.put(match["table"], key, None, work)
        return Reply(affected=len(found))

    def _found(self, match: re.Match[str], work: Work) -> dict[Any, tuple[Any, ...]]:
        rows = self.visible(match["table"], work)
        if match["key"] is None:
            return rows
        at, value = self[match["table"]].columns.index(match["key"]), literal(match["is"])
        return {key: row for key, row in rows.items() if row[at] == value}


def literal(text: str) -> Any:
    """A Python value for a SQL literal."""
    text = text.strip()
    if text.upper() == "NULL":
        return None
    if text.startswith("'"):
        return ast.literal_eval(text.replace("''", "\\'") if len(text) > len("''") else text)
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return Decimal(text) if "e" not in text.lower() else float(text)
    except ArithmeticError:
        raise ServerError(1054, "Unknown column in the statement") from None
