"""Connections go back to the pool with their transaction open.

## What it does

Looks for ``pool_reset_on_return=None`` in an engine that isn't in autocommit mode.

## Why it is bad

The next user gets the last one's transaction, with its old snapshot and its locks; meanwhile it is idle in a
transaction, which the server may cut.

## Known limits

An application that always commits or rolls back before it returns a connection gets away with it.

## Use instead

The default, a rollback.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each such engine."""
    for engine in case.engines:
        if engine.reset or not engine.keeps or engine.isolation == "AUTOCOMMIT":
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} takes connections back with their transaction open",
            why="The next user gets the last one's snapshot and locks, and the server may cut it for idling in a "
            "transaction.",
            evidence=(Evidence("pool_reset_on_return is None, not in autocommit mode", f"engine {engine.name}"),),
            remedy=Remedy("Leave the default.", ("create_engine(url)  # without pool_reset_on_return=None",)),
            subject=engine.name,
        )


CHECK = Check(
    name="reset-switched-off",
    title="connections return with an open transaction",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#reset-on-return",
)
