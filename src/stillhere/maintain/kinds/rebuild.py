"""Tables whose file has much free space that was measured. "Optimize regularly" is not a reason.

InnoDB re-uses free space within the table; a rebuild gives it back to the file system. Judged only for tables in files
of their own: those in a shared tablespace all report its free space. The rebuild is online (``ALGORITHM=INPLACE,
LOCK=NONE``): reads and writes go on, and where the server can't do it so, it refuses at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.maintain.inventory import MIB, Inventory, age, size
from stillhere.maintain.step import Answer, Gap, Step, advice
from stillhere.survey.tables import Table

__all__ = ["judge"]

_KIND = "rebuild"
_RATE = 50 * MIB  # bytes a second, an assumption until one was rebuilt
_GAPS_OF_ROWS = {"MyISAM", "Aria"}


def judge(inventory: Inventory) -> Iterator[Answer]:
    """The tables worth a rebuild, most free space first."""
    if inventory.files is None and any(table.engine == "InnoDB" for table in inventory.tables):
        reason = inventory.gaps.get("files", "files unknown")
        yield Gap(kind=_KIND, reason=f"which InnoDB tables have files of their own: {reason}")
    found = []
    for table in inventory.tables:
        total = _file(inventory, table)
        if total and table.free >= inventory.thresholds.free and table.free >= total * inventory.thresholds.share:
            found.append((table.free, total, table))
    for free, total, table in sorted(found, key=lambda one: -one[0]):
        yield _answer(inventory, table, free, total)


def _file(inventory: Inventory, table: Table) -> int:
    """The bytes of its file; 0 where it has none of its own."""
    if table.engine == "InnoDB":
        return (inventory.files or {}).get(table.key, 0)
    return table.data + table.index if table.engine in _GAPS_OF_ROWS else 0


def _answer(inventory: Inventory, table: Table, free: int, total: int) -> Answer:
    rest = max(total - free, 0)
    evidence = (
        Evidence(f"{size(free)} of {size(total)} are free ({free / total:.0%})", "information_schema, DATA_FREE"),
    )
    message = f"{table.label} has {size(free)} of free space in a file of {size(total)}"
    why = "The file keeps it for this table; a rebuild gives it back, and reads less."
    seconds = rest / _RATE
    cost = (
        f"Another {size(rest)} on the disk until it is done; about {age(max(seconds, 1))} at 50 MiB/s, which is an"
        " assumption. Replicas rebuild it as well, and lag for as long."
    )
    online = table.engine == "InnoDB"
    if online and any(index.kind in {"FULLTEXT", "SPATIAL"} for index in inventory.indexes_of(table.key)):
        return advice(
            _KIND,
            table.label,
            message=f"{message}, and an index that no online rebuild can take along",
            why=why,
            evidence=evidence,
            remedy="Rebuild it in a quiet hour: writers wait while it runs.",
            commands=(f"ALTER TABLE {table.quoted} FORCE",),
            cost=cost,
        )
    if online:
        statement = f"ALTER TABLE {table.quoted} FORCE, ALGORITHM=INPLACE, LOCK=NONE"
    else:
        statement, cost = f"OPTIMIZE TABLE {table.quoted}", f"{cost} Whoever uses the table waits while it runs."
    return Step(
        kind=_KIND,
        table=table.label,
        statement=statement,
        work=rest,
        finding=Finding(
            rule=f"maintain-{_KIND}",
            severity=Severity.INFO,
            message=message,
            why=why,
            evidence=evidence,
            remedy=Remedy("Rebuild it.", commands=(statement,), cost=cost),
            subject=table.label,
        ),
    )
