"""The pool keeps connections longer than they live.

## What it does

Compares ``pool_recycle`` with the shortest idle limit that is known: the session's ``wait_timeout``, one that was told
(``--hop-idle``) or measured (``--measure-idle``). Silent where stillhere is active or each checkout pings.

## Why it is bad

After a quiet time the pool hands out connections that are gone, one error for each of them.

## Known limits

A warning where the limit is eight hours or more, since few services are that quiet; an error below. Other hops are only
known when told or measured.

## Use instead

``plugin=stillhere``; or ``pool_pre_ping=True``, or ``pool_recycle`` below the limit, which both leave losses during
use.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.engines import EngineFacts
from stillhere.doctor.limits import recycling, safe_recycle, shortest_limit
from stillhere.findings import Evidence, Remedy, Severity

LONG = 28800.0
FLASK_SQLALCHEMY = 7200.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine that does."""
    for engine in case.engines:
        if engine.protected or engine.pre_ping or not engine.keeps:
            continue
        limit = shortest_limit(case, engine)
        if not limit.seconds or 0 <= engine.recycle < limit.seconds:
            continue
        yield Claim(
            severity=Severity.WARNING if limit.seconds >= LONG else Severity.ERROR,
            message=f"{engine.name} keeps connections {_time(engine)}, {limit.name} is {duration(limit.seconds)}",
            why=f"After {duration(limit.seconds)} of quiet, each of up to {engine.size or 1} pooled connections is "
            "lost and costs a user an error (2006, 2013 or 4031).",
            evidence=(
                Evidence(f"pool_recycle = {engine.recycle:.0f}, pool_pre_ping off", f"engine {engine.name}"),
                Evidence(f"{limit.name} = {limit.seconds:.0f} s", limit.source),
            ),
            remedy=Remedy(
                "Switch stillhere on in its URL; or replace connections sooner than that.",
                ("?plugin=stillhere", *recycling(safe_recycle(case, limit))),
            ),
            subject=engine.name,
        )


def _time(engine: EngineFacts) -> str:
    if engine.recycle < 0:
        return "for ever (pool_recycle = -1)"
    flask = " (Flask-SQLAlchemy's default)" if engine.recycle == FLASK_SQLALCHEMY else ""
    return f"for {duration(engine.recycle)}{flask}"


CHECK = Check(
    name="recycle-too-late",
    title="the pool keeps connections longer than they live",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    advises=(("pool_recycle", Turn.DOWN),),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#setting-pool-recycle",
)
