"""Threads for new connections were slow to start.

## What it does

Reads ``Slow_launch_threads``: how many took longer than ``slow_launch_time``.

## Why it is bad

The machine was so busy or so short of memory that logging in took seconds; clients with a short limit for connecting
gave up.

## Known limits

Counted since the server started; under ten it is silent.

## Use instead

Pools, so that connections aren't opened under load; and a machine that isn't overcommitted.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

MANY = 10


def judge(case: Case) -> Iterator[Claim]:
    """One claim from ten on."""
    slow = case.count("slow_launch_threads")
    if slow < MANY:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"{slow} connections waited more than {case.snapshot.variables.get('slow_launch_time', '?')} s for "
        f"their thread in {duration(case.uptime)}",
        why="Clients that allow only a few seconds for connecting gave up meanwhile.",
        evidence=(status(case, "Slow_launch_threads", "Threads_created"), variable(case, "slow_launch_time")),
        remedy=Remedy(
            "Look for swapping and for other programs on the machine at those times; open connections ahead of load.",
            ("vmstat 1 5",),
        ),
    )


CHECK = Check(
    name="threads-slow-to-start",
    title="threads for connections start slowly",
    topic=Topic.ROOM,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html#statvar_Slow_launch_threads",
)
