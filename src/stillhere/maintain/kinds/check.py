"""``CHECK TABLE`` after a crash, or where it was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.maintain.inventory import Inventory, size
from stillhere.maintain.step import Answer, Gap, Step

__all__ = ["judge"]

_KIND = "check"
_CHECKED = {"InnoDB", "MyISAM", "Aria", "ARCHIVE", "CSV"}


def judge(inventory: Inventory) -> Iterator[Answer]:
    """Every table where there is a reason, engines without recovery first, then the smallest first."""
    crash = inventory.crash
    if inventory.thresholds.check:
        evidence, message = Evidence("--check", "command line"), "was asked for"
    elif crash is not None:
        at = f" at {crash.at:%Y-%m-%d %H:%M:%S} UTC" if crash.at is not None else ""
        evidence = Evidence(f"the server started{at} without a shutdown before", crash.source)
        message = "the server did not shut down in order"
    else:
        if "crash" in inventory.gaps:
            yield Gap(
                kind=_KIND,
                reason=f"whether the server crashed: {inventory.gaps['crash']}; --log FILE tells, --check asks for it",
            )
        return
    tables = [table for table in inventory.tables if table.engine in _CHECKED]
    for table in sorted(tables, key=lambda one: (one.transactional, one.data + one.index)):
        statement = f"CHECK TABLE {table.quoted}"
        work = table.data + table.index
        yield Step(
            kind=_KIND,
            table=table.label,
            statement=statement,
            work=work,
            finding=Finding(
                rule=f"maintain-{_KIND}",
                severity=Severity.INFO,
                message=f"{table.label}: {message}",
                why="InnoDB mends itself after a crash; what a disk or another engine lost is found by looking."
                if table.transactional
                else f"{table.engine} doesn't mend itself after a crash.",
                evidence=(evidence, Evidence(f"engine {table.engine}", "information_schema")),
                remedy=Remedy(
                    "Check it.",
                    commands=(statement,),
                    cost=f"Reads {size(work)}. InnoDB may end the server where it finds a page that is broken."
                    if table.transactional
                    else f"Reads {size(work)}; writers wait while it runs.",
                ),
                subject=table.label,
            ),
        )
