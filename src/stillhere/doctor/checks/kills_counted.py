"""Somebody ends connections or statements with KILL.

## What it does

Reads ``Com_kill``.

## Why it is bad

A KILL looks to the client like a crash: 2013. A watchdog such as pt-kill, or an administrator's habit, explains losses
that nothing else does.

## Known limits

A note only. Who it was isn't counted.

## Use instead

A limit for statements (``max_execution_time``, ``max_statement_time``), which leaves the connection alive.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note where there were any."""
    kills = case.count("com_kill")
    if not kills:
        return
    limit = "max_statement_time" if case.mariadb else "max_execution_time"
    yield Claim(
        severity=Severity.INFO,
        message=f"KILL was used {plural(kills, 'time')} in {duration(case.uptime)}",
        why="To the client it looks like a crash of the server (2013), so it explains losses that nothing else does.",
        evidence=(status(case, "Com_kill", "Uptime"),),
        remedy=Remedy(
            f"Where a watchdog ends long statements, {limit} does it without losing connections.",
            (f"SHOW GLOBAL VARIABLES LIKE '{limit}';",),
        ),
    )


CHECK = Check(
    name="kills-counted",
    title="connections are ended with KILL",
    topic=Topic.LOSSES,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/kill.html",
)
