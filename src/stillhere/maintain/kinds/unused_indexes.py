"""Indexes that were never used while the server has been up for long enough to say so."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence
from stillhere.maintain.inventory import Inventory, age
from stillhere.maintain.kinds.duplicate_indexes import duplicate_of, retirement
from stillhere.maintain.step import Answer, Gap, advice

__all__ = ["judge"]

_KIND = "unused-indexes"


def judge(inventory: Inventory) -> Iterator[Answer]:
    """One piece of advice for each; unique indexes and those of foreign keys have a use of their own."""
    if not inventory.tables:
        return
    if inventory.uses is None:
        yield Gap(kind=_KIND, reason=inventory.gaps.get("uses", "use of indexes unknown"))
        return
    uptime = float(inventory.snapshot.count("uptime") or 0)
    if uptime < inventory.thresholds.unused:
        yield Gap(
            kind=_KIND,
            reason=f"the server is up for {age(uptime)}; an index counts as unused after"
            f" {age(inventory.thresholds.unused)} (--unused-after)",
        )
        return
    for table in inventory.tables:
        found = inventory.indexes_of(table.key)
        if not any(inventory.uses.get((table.key, name), 0) for name in ("", *(one.name for one in found))):
            continue  # nobody used the table at all
        for index in found:
            needed = index.unique or not index.used or (table.key, index.columns[0].name) in inventory.foreign
            if needed or duplicate_of(index, found) is not None:
                continue
            if inventory.uses.get((table.key, index.name)) == 0:
                yield advice(
                    _KIND,
                    table.label,
                    message=f"index {index.name} of {table.label} was never used",
                    why="Every write keeps it.",
                    evidence=(
                        Evidence(f"0 uses in {age(uptime)}", "table_io_waits_summary_by_index_usage"),
                        Evidence("replicas may use it: ask them too", "assumption", supports=False),
                    ),
                    remedy="Take it out of use first, and drop it when nobody missed it; never run from here.",
                    commands=retirement(inventory, table, index),
                )
