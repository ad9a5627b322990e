"""The server was killed.

## What it does

Looks for lives of the server that ended without a word: neither shutdown nor crash lines before the next start, or the
kernel or the service manager saying that it was killed.

## Why it is bad

Most often memory ran out and the kernel chose the server, which leaves nothing in the server's own log. Every
connection was lost at once.

## Known limits

A power cut looks the same. An error within a week, a warning within a month, then a note.

## Use instead

Less memory for the server, or more for the machine; see `memory-over-ram`.
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
    lives = endings(case, Ending.KILLED, Ending.OOM)
    if not lives:
        return
    last = lives[-1]
    at, told = end_of(case, last)
    memory = sum(1 for life in lives if life.ending is Ending.OOM)
    known = f", {memory} of them for want of memory" if memory else ""
    yield Claim(
        severity=weight(case, at, Severity.ERROR),
        message=f"the server was killed {plural(len(lives), 'time')} in its log{known}, the last {told}",
        why="Each time all connections were lost at once, without a word to them or to the log.",
        evidence=evidence_of(lives),
        remedy=Remedy(
            "See what the kernel says of that time; give the server less memory, or its machine more.",
            ("journalctl -k --grep 'oom|Out of memory'",),
        ),
    )


CHECK = Check(
    name="server-killed",
    title="the server was killed",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/memory-use.html",
)
