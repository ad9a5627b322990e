"""What the server's schema says about statements that are to be run again. Asked rarely, at a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillhere.drivers.base import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stillhere.continuity.statement import Statement
    from stillhere.drivers.base import Driver

__all__ = ["auto_increments", "name_of", "what_escapes"]

_SYSTEM = "('mysql', 'information_schema', 'performance_schema', 'sys')"
# Storage engines that undo on ROLLBACK, by the name that information_schema gives.
_TRANSACTIONAL = "('InnoDB', 'RocksDB', 'ROCKSDB', 'TokuDB', 'ndbcluster', 'NDBCLUSTER')"


def name_of(statement: Statement) -> str:
    """The table that an INSERT writes to, as it was written; empty where it is none."""
    return statement.insert.table if statement.insert is not None else ""


def auto_increments(driver: Driver, connection: Any, statements: Iterable[Statement]) -> dict[str, str]:
    """The auto-increment column of each INSERT's table; tables without one are left out."""
    found: dict[str, str] = {}
    for name in {name_of(statement) for statement in statements} - {""}:
        schema, table = _split(name)
        rows = driver.fetch(
            connection,
            (
                "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE EXTRA LIKE '%auto_increment%'"
                f" AND TABLE_NAME = {_literal(table)} AND TABLE_SCHEMA = {schema}"
            ).encode(),
        )
        if rows:
            found[name] = as_text(rows[0][0])
    return found


def what_escapes(driver: Driver, connection: Any, statements: list[Statement]) -> str:
    """Why a ROLLBACK would not undo these statements wholly, or a replay not repeat them; empty when neither.

    A table in a non-transactional engine keeps what was written to it. Where the schema has one at all, a
    view, a trigger or a stored function may write to it behind a harmless statement. A BEFORE INSERT
    trigger may take the id that the replay forces for its table's auto-increment.
    """
    names = sorted({name for statement in statements for name in statement.tables})
    schemas = ", ".join(sorted({_split(name)[0] for name in names} | {"DATABASE()"}))
    escaping = driver.fetch(
        connection,
        (
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_SCHEMA = DATABASE() FROM information_schema.TABLES"
            f" WHERE TABLE_SCHEMA IN ({schemas}) AND TABLE_SCHEMA NOT IN {_SYSTEM} AND TABLE_TYPE = 'BASE TABLE'"
            f" AND ENGINE NOT IN {_TRANSACTIONAL}"
        ).encode(),
    )
    written = {_split(name)[1].lower() for name in names}
    for _, table, engine, _ in escaping:
        if as_text(table).lower() in written:
            return f"table {as_text(table)} is in the {as_text(engine)} engine, which ROLLBACK does not undo"
    tables = ", ".join(_literal(_split(name)[1]) for name in names) or "''"
    if escaping:
        indirect = driver.fetch(
            connection,
            (
                f"SELECT 'view', TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_NAME IN ({tables})"
                " UNION ALL SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS"
                f" WHERE EVENT_OBJECT_TABLE IN ({tables})"
                f" UNION ALL SELECT 'stored function', ROUTINE_NAME FROM information_schema.ROUTINES"
                f" WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA IN ({schemas})"
            ).encode(),
        )
        if indirect:
            kind, name = indirect[0]
            return (
                f"the schema has tables that ROLLBACK does not undo ({as_text(escaping[0][1])}), and the "
                f"{as_text(kind)} {as_text(name)} may write to them"
            )
    inserted = {_split(name_of(s))[1] for s in statements if name_of(s)}
    if inserted:
        listed = ", ".join(_literal(table) for table in sorted(inserted))
        triggers = driver.fetch(
            connection,
            (
                "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE ACTION_TIMING = 'BEFORE'"
                f" AND EVENT_MANIPULATION = 'INSERT' AND EVENT_OBJECT_TABLE IN ({listed})"
            ).encode(),
        )
        if triggers:
            return (
                f"the BEFORE INSERT trigger {as_text(triggers[0][0])} may take the ids that are to be generated again"
            )
    return ""


def _split(name: str) -> tuple[str, str]:
    """Schema expression and table of a name as it was written: ``db.t`` or ``t``."""
    schema, dot, table = name.rpartition(".")
    return (_literal(schema) if dot else "DATABASE()"), table


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
