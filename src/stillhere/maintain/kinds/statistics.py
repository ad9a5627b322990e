"""InnoDB statistics that are old and wrong: the optimizer plans by them.

InnoDB makes them anew by itself after a tenth of the rows changed, unless that is switched off. They count as stale
where they are older than a day and the table's rows differ by a fifth from what they say.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.maintain.inventory import Inventory, age
from stillhere.maintain.step import Answer, Gap, Step
from stillhere.survey.table_use import Statistics
from stillhere.survey.tables import Table

__all__ = ["judge"]

_KIND = "statistics"
_FEW = 1000  # rows: below it any plan is quick


def judge(inventory: Inventory) -> Iterator[Answer]:
    """The tables whose statistics are worth making anew, the most wrong first."""
    if inventory.statistics is None:
        if any(table.engine == "InnoDB" for table in inventory.tables):
            yield Gap(kind=_KIND, reason=inventory.gaps.get("statistics", "statistics unknown"))
        return
    found = []
    for table in inventory.tables:
        stored = inventory.statistics.get(table.key)
        if stored is not None and stored.updated is not None and _wrong(inventory, table, stored):
            found.append((abs(table.rows - stored.rows), table, stored))
    for _, table, stored in sorted(found, key=lambda one: -one[0]):
        yield _step(inventory, table, stored)


def _wrong(inventory: Inventory, table: Table, stored: Statistics) -> bool:
    off = abs(table.rows - stored.rows)
    return (
        _seconds(inventory, stored) >= inventory.thresholds.stale
        and off >= _FEW
        and off >= max(table.rows, stored.rows) * inventory.thresholds.drift
    )


def _seconds(inventory: Inventory, stored: Statistics) -> float:
    return (inventory.snapshot.taken_at - stored.updated).total_seconds() if stored.updated is not None else 0.0


def _step(inventory: Inventory, table: Table, stored: Statistics) -> Step:
    # Of this server alone: a replica has statistics of its own, and a statement of its own could not be applied twice.
    statement = f"ANALYZE NO_WRITE_TO_BINLOG TABLE {table.quoted}"
    old = age(_seconds(inventory, stored))
    evidence = [
        Evidence(f"{stored.rows} rows by statistics that are {old} old", "mysql.innodb_table_stats"),
        Evidence(f"{table.rows} rows now", "information_schema.TABLES"),
    ]
    if "stats_auto_recalc=0" in table.options.lower():
        evidence.append(Evidence("STATS_AUTO_RECALC=0: they aren't made anew by themselves", "CREATE_OPTIONS"))
    elif inventory.snapshot.switched_on("innodb_stats_auto_recalc") is False:
        evidence.append(Evidence("innodb_stats_auto_recalc is OFF", "SHOW GLOBAL VARIABLES"))
    return Step(
        kind=_KIND,
        table=table.label,
        statement=statement,
        finding=Finding(
            rule=f"maintain-{_KIND}",
            severity=Severity.INFO,
            message=f"{table.label} has {table.rows} rows, and its statistics say {stored.rows}",
            why="The optimizer plans by the statistics: a wrong plan holds its connection for long.",
            evidence=tuple(evidence),
            remedy=Remedy(
                "Make them anew.", commands=(statement,), cost="Reads a few pages of each index. Plans may change."
            ),
            subject=table.label,
        ),
    )
