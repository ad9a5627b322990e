"""The application's pools may ask for more connections than there are.

## What it does

Multiplies ``pool_size + max_overflow`` of each engine by the number of processes (``--processes``), adds ten for people
and monitoring, and compares with ``max_connections``.

## Why it is bad

Under full load some of the processes are refused with 1040, and it is chance which.

## Known limits

Other programs that use the server aren't counted unless their engines are shown as well. Without ``--processes`` one
process is assumed.

## Use instead

A smaller ``pool_size`` or ``max_overflow``, or a higher ``max_connections``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import raise_variable, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import RESERVED, demand, roomy_connections
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where the sum is over the limit."""
    limit, wanted, processes = case.number("max_connections"), demand(case), case.settings.processes
    if not limit or wanted + RESERVED <= limit:
        return
    sums = tuple(
        Evidence(f"pool_size {one.size} + max_overflow {one.overflow}, {processes} processes", f"engine {one.name}")
        for one in case.engines
        if one.most
    )
    fits = max(1, int((limit - RESERVED) / processes / max(1, len(sums))))
    yield Claim(
        severity=Severity.ERROR if wanted > limit else Severity.WARNING,
        message=f"the pools may hold {wanted} connections at once, max_connections is {limit:.0f}",
        why=f"Under full load {max(0, wanted - int(limit))} of them are refused with 1040, with ten kept for people "
        f"and monitoring {wanted + RESERVED - int(limit)}.",
        evidence=(variable(case, "max_connections"), *sums),
        remedy=Remedy(
            f"Let each pool hold at most {fits} (pool_size + max_overflow), or raise the limit.",
            raise_variable(case, "max_connections", roomy_connections(case)),
            cost="memory for each connection that is opened",
        ),
    )


CHECK = Check(
    name="pools-exceed-max-connections",
    title="the pools may ask for too many connections",
    topic=Topic.ROOM,
    judge=judge,
    needs=(Need.ENGINES,),
    advises=(("max_connections", Turn.UP),),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool",
)
