"""The server was started within the last hour.

## What it does

Reads ``Uptime``.

## Why it is bad

Every connection that was open before was lost. Where nobody restarted it, it crashed, or was killed for memory.

## Known limits

A note only: the error log says which.

## Use instead

Nothing, where the restart was meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, status
from stillhere.doctor.case import HOUR, Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note where it was."""
    if not 0 < case.uptime < HOUR:
        return
    yield Claim(
        severity=Severity.INFO,
        message=f"the server was started {duration(case.uptime)} ago",
        why="Every connection from before is lost. Counters begin anew, so little can be said from them yet.",
        evidence=(status(case, "Uptime"),),
        remedy=Remedy(
            "Where nobody restarted it, see the end of its last life in the error log.",
            ("SHOW GLOBAL VARIABLES LIKE 'log_error';",),
        ),
    )


CHECK = Check(
    name="started-lately",
    title="the server was started lately",
    topic=Topic.LOSSES,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html#statvar_Uptime",
)
