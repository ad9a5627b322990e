"""stillhere is not active in the engine.

## What it does

Notes engines in which stillhere is not active.

## Why it is bad

A restart, a failover or a cut in the middle of a transaction reaches the application as an error.

## Known limits

A note only. Where it was meant to be active, ``engine-lost-plugin`` warns instead. asyncio engines can't have it yet.

## Use instead

``?plugin=stillhere`` in the URL.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note for each, where nobody meant it to be."""
    sisters = any(one.protected for one in case.engines)
    for engine in case.engines:
        if engine.protected or engine.meant_protected or engine.asynchronous or sisters:
            continue
        yield Claim(
            severity=Severity.INFO,
            message=f"stillhere is not active in {engine.name}",
            why="A restart, a failover or a cut in the middle of a transaction reaches the application as an error.",
            evidence=(Evidence("its pool opens connections without stillhere", f"engine {engine.name}"),),
            remedy=Remedy("Switch it on in the URL.", ("?plugin=stillhere",)),
            subject=engine.name,
        )


CHECK = Check(
    name="engine-unprotected",
    title="stillhere is not active in the engine",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.CreateEnginePlugin",
)
