"""Nearly all of ``max_connections`` is in use now.

## What it does

Compares ``Threads_connected`` with ``max_connections``; from 85 % on it speaks.

## Why it is bad

The next deploy, which opens new pools before the old ones are closed, is refused with 1040.

## Known limits

One moment only. Where the limit was reached before, ``max-connections-reached`` says so instead.

## Use instead

Fewer or smaller pools, or a higher limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import raise_variable, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import roomy_connections
from stillhere.findings import Remedy, Severity

NEAR = 0.85


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is nearly full, and never was full."""
    limit, now = case.number("max_connections"), case.count("threads_connected")
    if not limit or now < NEAR * limit or case.count("max_used_connections") >= limit:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"{now} of {limit:.0f} connections are in use now ({now / limit:.0%})",
        why=f"{limit - now:.0f} are left: the next deploy or peak is refused with 1040.",
        evidence=(variable(case, "max_connections"), status(case, "Threads_connected", "Max_used_connections")),
        remedy=Remedy(
            "See who holds them first; where all of them are needed, raise the limit.",
            raise_variable(case, "max_connections", roomy_connections(case)),
            cost="memory for each connection that is opened",
        ),
    )


CHECK = Check(
    name="connections-near-limit",
    title="nearly all connections are in use",
    topic=Topic.ROOM,
    judge=judge,
    advises=(("max_connections", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/too-many-connections.html",
)
