"""A shutdown was not waited for.

## What it does

Looks for lives of the server whose shutdown began and never ended.

## Why it is bad

The service manager or the container runtime lost patience and killed it: the next start has to recover, and clients
wait longer than for an orderly restart.

## Known limits

A warning within a month, then a note.

## Use instead

A longer stop timeout.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.history import end_of, endings, evidence_of, weight
from stillhere.errorlog.summary import Ending
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for all of them, with the age of the last."""
    lives = endings(case, Ending.UNFINISHED_SHUTDOWN)
    if not lives:
        return
    at, told = end_of(case, lives[-1])
    yield Claim(
        severity=weight(case, at, Severity.WARNING),
        message=f"{plural(len(lives), 'shutdown')} not waited for, the last {told}",
        why="The server was killed in the middle of it, so that the next start had to recover while clients waited.",
        evidence=evidence_of(lives),
        remedy=Remedy(
            "Give it more time to stop.", ("[Service]\nTimeoutStopSec=900", "docker stop --time 900 CONTAINER")
        ),
    )


CHECK = Check(
    name="shutdown-unfinished",
    title="a shutdown was not waited for",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-shutdown.html",
)
