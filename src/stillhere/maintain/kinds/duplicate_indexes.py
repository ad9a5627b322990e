"""Indexes whose columns are the beginning of another one's: written with every row, and good for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.maintain.inventory import Inventory
from stillhere.maintain.step import Answer, advice
from stillhere.survey.tables import Index, Table

__all__ = ["duplicate_of", "judge", "retirement"]

_KIND = "duplicate-indexes"


def judge(inventory: Inventory) -> Iterator[Answer]:
    """One piece of advice for each index that another one covers."""
    for table in inventory.tables:
        found = inventory.indexes_of(table.key)
        for index in found:
            other = duplicate_of(index, found)
            if other is not None:
                yield advice(
                    _KIND,
                    table.label,
                    message=f"index {index.name} of {table.label} is covered by {other.name}",
                    why="Every write keeps both; no query needs the shorter one.",
                    evidence=(
                        Evidence(f"{index.name} ({_columns(index)})", "information_schema.STATISTICS"),
                        Evidence(f"{other.name} ({_columns(other)})", "information_schema.STATISTICS"),
                    ),
                    remedy="Look for it in index hints, then drop it; a person's decision, never run from here.",
                    commands=retirement(inventory, table, index),
                )


def duplicate_of(index: Index, others: tuple[Index, ...]) -> Index | None:
    """The index that covers this one; ``None`` where there is none, or where this one is needed by itself."""
    if index.name == "PRIMARY" or index.kind != "BTREE" or not index.used:
        return None
    for other in others:
        if other is index or other.kind != index.kind or not other.used:
            continue
        if other.columns[: len(index.columns)] != index.columns:
            continue
        same = len(other.columns) == len(index.columns)
        if index.unique and not (same and other.unique):
            continue  # it keeps its own columns unique
        if same and index.unique == other.unique and other.name != "PRIMARY" and index.name < other.name:
            continue  # two alike: the one whose name comes later is told
        return other
    return None


def retirement(inventory: Inventory, table: Table, index: Index) -> tuple[str, ...]:
    """How an index is taken out of use, to see whether anybody misses it, and dropped then."""
    name = "`" + index.name.replace("`", "``") + "`"
    drop = f"ALTER TABLE {table.quoted} DROP INDEX {name}"
    version = inventory.snapshot.version
    if version.at_least(mysql=(8, 0), mariadb=None):
        return (f"ALTER TABLE {table.quoted} ALTER INDEX {name} INVISIBLE", drop)
    if version.at_least(mysql=None, mariadb=(10, 6)):
        return (f"ALTER TABLE {table.quoted} ALTER INDEX {name} IGNORED", drop)
    return (drop,)


def _columns(index: Index) -> str:
    parts = [f"{one.name}({one.length})" if one.length is not None else one.name for one in index.columns]
    return f"{'unique: ' if index.unique else ''}{', '.join(parts)}"
