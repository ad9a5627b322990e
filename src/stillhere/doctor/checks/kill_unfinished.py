"""A killed session is still there.

## What it does

Finds sessions that were told to end a minute ago or more and have not.

## Why it is bad

It rolls back, and keeps its locks until that is done. Restarting the server doesn't help: the rollback goes on
afterwards.

## Known limits

Needs PROCESS.

## Use instead

Patience; smaller transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

LONG = 60.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each."""
    for session in case.snapshot.sessions or ():
        if session.command != "Killed" or session.seconds < LONG:
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"connection {session.id} of {session.user}@{session.host} was killed and is still there after "
            f"{duration(session.seconds)}",
            why="It rolls back and keeps its locks until then; a restart only moves the rollback.",
            evidence=(Evidence(f"command Killed for {session.seconds:.0f} s", "SHOW PROCESSLIST"),),
            remedy=Remedy("Wait for it.", ("SELECT trx_rows_modified FROM information_schema.INNODB_TRX;",)),
            subject=f"connection {session.id}",
        )


CHECK = Check(
    name="kill-unfinished",
    title="a killed session is still there",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/kill.html",
)
