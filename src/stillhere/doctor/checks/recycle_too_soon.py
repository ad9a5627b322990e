"""The pool replaces connections all the time.

## What it does

Looks for a ``pool_recycle`` under half a minute.

## Why it is bad

Nearly every checkout logs in again: slower for the user, and a storm of logins when the server is busy.

## Known limits

Silent where a shorter idle limit on the way is known to require it.

## Use instead

A few minutes, and below the shortest idle limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import shortest_limit
from stillhere.findings import Evidence, Remedy, Severity

SOON = 30.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine that does without need."""
    for engine in case.engines:
        limit = shortest_limit(case, engine)
        if not engine.keeps or not 0 <= engine.recycle < SOON or limit.seconds <= 2 * SOON:
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} replaces connections after {engine.recycle:.0f} s: nearly every checkout logs in "
            "again",
            why=f"The shortest known idle limit is {limit.seconds:.0f} s, so that they could be kept far longer.",
            evidence=(
                Evidence(f"pool_recycle = {engine.recycle:.0f}", f"engine {engine.name}"),
                Evidence(f"{limit.name} = {limit.seconds:.0f} s", limit.source),
            ),
            remedy=Remedy(
                "Keep them longer.", (f"create_engine(url, pool_recycle={min(300, int(limit.seconds * 0.9))})",)
            ),
            subject=engine.name,
        )


CHECK = Check(
    name="recycle-too-soon",
    title="the pool replaces connections all the time",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    advises=(("pool_recycle", Turn.UP),),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#setting-pool-recycle",
)
