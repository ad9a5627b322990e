"""New tables are made in an engine without transactions.

## What it does

Looks at ``default_storage_engine``.

## Why it is bad

A write to such a table is neither undone with its transaction nor protected from a crash. What was cut in the middle
stays half done, and stillhere does not run such a transaction again.

## Known limits

Tables that exist aren't looked at.

## Use instead

InnoDB.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

_WITHOUT = {"myisam", "aria", "memory", "csv", "archive", "blackhole", "mrg_myisam"}


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it has none."""
    engine = case.snapshot.variables.get("default_storage_engine", "")
    if engine.lower() not in _WITHOUT:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"new tables are made in {engine}, which has no transactions",
        why="What is cut in the middle of a transaction stays half done, and can't be run again safely.",
        evidence=(variable(case, "default_storage_engine"),),
        remedy=Remedy("Make new tables in InnoDB.", set_variable(case, "default_storage_engine", "InnoDB")),
    )


CHECK = Check(
    name="tables-not-transactional",
    title="new tables have no transactions",
    topic=Topic.MACHINE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_default_storage_engine",
)
