"""InnoDB tables without a primary key, or a unique index that could stand for one."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Severity
from stillhere.maintain.inventory import Inventory
from stillhere.maintain.step import Answer, advice
from stillhere.survey.tables import Index

__all__ = ["judge"]

_KIND = "primary-keys"


def judge(inventory: Inventory) -> Iterator[Answer]:
    """One piece of advice a table."""
    for table in inventory.tables:
        if table.engine == "InnoDB" and not any(_identifies(index) for index in inventory.indexes_of(table.key)):
            yield advice(
                _KIND,
                table.label,
                message=f"{table.label} has no primary key",
                why="A replica that applies a change by row looks through the whole table for each row, and falls"
                " behind; clusters refuse such tables.",
                evidence=(
                    Evidence(f"no primary key, no unique index without NULLs, {table.rows} rows", "information_schema"),
                ),
                remedy="Give it one: the columns that identify a row, or a number.",
                commands=(
                    f"ALTER TABLE {table.quoted} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
                ),
                cost="Rebuilds the table; SELECT * and INSERT without a list of columns see the new one.",
                severity=Severity.WARNING,
            )


def _identifies(index: Index) -> bool:
    return index.name == "PRIMARY" or (index.unique and not any(column.nullable for column in index.columns))
