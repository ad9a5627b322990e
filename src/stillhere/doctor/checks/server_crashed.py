"""The server has crashed.

## What it does

Looks for lives of the server that ended in a crash, or in InnoDB's giving itself up after a hang.

## Why it is bad

Every connection was lost at once, and the redo log had to be worked off before the server answered again. What ended
it once may do so again.

## Known limits

An error within a week, a warning within a month, then a note.

## Use instead

The query in the dump, if there is one; a newer patch release of the server.
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
    lives = endings(case, Ending.CRASH, Ending.HANG)
    if not lives:
        return
    last = lives[-1]
    at, told = end_of(case, last)
    signal = f", by signal {last.signal}" if last.signal else ""
    yield Claim(
        severity=weight(case, at, Severity.ERROR),
        message=f"the server has crashed {plural(len(lives), 'time')} in its log, the last {told}{signal}",
        why="Each time all connections were lost at once, and clients waited until the redo log was worked off.",
        evidence=evidence_of(lives),
        remedy=Remedy("See the query and the frames in the dump; update to the newest patch release."),
    )


CHECK = Check(
    name="server-crashed",
    title="the server has crashed",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/crashing.html",
)
