"""The pool replaces old connections, and never looks at them.

## What it does

Notes engines whose only protection is ``pool_recycle``.

## Why it is bad

It helps against idle timeouts only. After a restart or a failover every pooled connection is gone at once, and each
costs a user an error.

## Known limits

A note only.

## Use instead

``plugin=stillhere``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.limits import shortest_limit
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note for each."""
    for engine in case.engines:
        if engine.protected or engine.pre_ping or not engine.keeps:
            continue
        limit = shortest_limit(case, engine)
        if not 0 <= engine.recycle < limit.seconds:
            continue  # that is for recycle-too-late
        yield Claim(
            severity=Severity.INFO,
            message=f"{engine.name} replaces connections after {duration(engine.recycle)}, and never looks at them",
            why=f"After a restart of the server, each of up to {engine.size or 1} pooled connections costs a user an "
            "error.",
            evidence=(Evidence(f"pool_recycle = {engine.recycle:.0f}, pool_pre_ping off", f"engine {engine.name}"),),
            remedy=Remedy("Switch stillhere on in its URL.", ("?plugin=stillhere",)),
            subject=engine.name,
        )


CHECK = Check(
    name="recycle-only",
    title="the pool never looks at its connections",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic",
)
