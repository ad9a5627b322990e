"""Tables without transactions: what is written to them stays, whatever becomes of the transaction around it."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Severity
from stillhere.maintain.inventory import Inventory, size
from stillhere.maintain.step import Answer, advice

__all__ = ["judge"]

_KIND = "engines"
_ON_PURPOSE = {"PERFORMANCE_SCHEMA", "BLACKHOLE", "FEDERATED", "CONNECT", "SPIDER", "SEQUENCE", "MRG_MyISAM", ""}


def judge(inventory: Inventory) -> Iterator[Answer]:
    """One piece of advice a table."""
    for table in inventory.tables:
        if table.transactional or table.engine in _ON_PURPOSE:
            continue
        yield advice(
            _KIND,
            table.label,
            message=f"{table.label} is {table.engine}, which has no transactions",
            why="A write to it can't be rolled back: a transaction that wrote to it is not continued after a loss, so"
            " that the application gets the error. After a crash it may need repair.",
            evidence=(Evidence(f"engine {table.engine}, {size(table.data + table.index)}", "information_schema"),),
            remedy="Convert it, if the application doesn't need the other engine.",
            commands=(f"ALTER TABLE {table.quoted} ENGINE=InnoDB",),
            cost="Copies the table; writers wait while it runs. It may grow.",
            severity=Severity.WARNING,
        )
