"""The pool may open connections without limit.

## What it does

Looks for ``max_overflow=-1``, or a ``pool_size`` of 0.

## Why it is bad

One slow statement under load, and the pool opens connections until ``max_connections`` is reached: everybody else is
refused with 1040.

## Known limits

A pool of threads in front may limit it as well.

## Use instead

A limit that fits into ``max_connections``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.limits import RESERVED
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each such engine."""
    for engine in case.engines:
        if engine.size is None or engine.overflow is None or engine.most is not None:
            continue
        limit = case.number("max_connections") or 0
        room = max(1, int((limit - RESERVED) / case.settings.processes / len(case.engines) / 2))
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} may open connections without limit",
            why=f"One slow statement under load, and it takes all {limit:.0f} of the server's; everybody else gets "
            "1040.",
            evidence=(
                Evidence(f"pool_size {engine.size}, max_overflow {engine.overflow}", f"engine {engine.name}"),
                variable(case, "max_connections"),
            ),
            remedy=Remedy(
                "Give it a limit.", (f"create_engine(url, pool_size={min(room, 10)}, max_overflow={min(room, 10)})",)
            ),
            subject=engine.name,
        )


CHECK = Check(
    name="overflow-unlimited",
    title="the pool has no limit",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool",
)
