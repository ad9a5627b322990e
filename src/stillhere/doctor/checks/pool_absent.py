"""The application logs in for each use.

## What it does

Looks for ``NullPool``; it warns when the server sees more than a login a second.

## Why it is bad

Each use pays for a login, and a short trouble at login, a slow name server or a full server hits every request.

## Known limits

A note otherwise: behind a pooling proxy, or in a short-lived process, it is right. The server counts everybody's
logins.

## Use instead

``QueuePool``, SQLAlchemy's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

OFTEN = 1.0
YOUNG = 60.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine without a pool."""
    rate = case.count("connections") / max(case.uptime, YOUNG)
    for engine in case.engines:
        if engine.keeps:
            continue
        yield Claim(
            severity=Severity.WARNING if rate > OFTEN else Severity.INFO,
            message=f"{engine.name} has no pool ({engine.pool}); the server sees {rate:.1f} logins a second",
            why="Each use pays for a login, and is lost when a login is slow or refused.",
            evidence=(
                Evidence(f"pool class {engine.pool}", f"engine {engine.name}"),
                status(case, "Connections", "Uptime"),
            ),
            remedy=Remedy(
                "Let SQLAlchemy pool, unless a proxy does.", ("create_engine(url)  # without poolclass=NullPool",)
            ),
            subject=engine.name,
        )


CHECK = Check(
    name="pool-absent",
    title="the application logs in for each use",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#switching-pool-implementations",
)
