"""All threads share one connection.

## What it does

Looks for ``StaticPool``.

## Why it is bad

Two threads on one connection read each other's replies: packet sequence errors, 2014, wrong rows. It is meant for
SQLite in memory.

## Known limits

A program with one thread gets away with it.

## Use instead

``QueuePool``, SQLAlchemy's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each such engine."""
    for engine in case.engines:
        if engine.pool != "StaticPool":
            continue
        yield Claim(
            severity=Severity.ERROR,
            message=f"{engine.name} gives one connection to all threads (StaticPool)",
            why="Two threads on one connection read each other's replies: 2014, packet sequence errors, wrong rows.",
            evidence=(Evidence("pool class StaticPool", f"engine {engine.name}"),),
            remedy=Remedy("Use SQLAlchemy's default.", ("create_engine(url)  # without poolclass=StaticPool",)),
            subject=engine.name,
        )


CHECK = Check(
    name="pool-shared",
    title="all threads share one connection",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.StaticPool",
)
