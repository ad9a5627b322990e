"""A session does nothing, with its transaction open.

## What it does

Finds sessions that sleep while InnoDB has a transaction of theirs open, for a minute or more.

## Why it is bad

Its locks block others, old row versions pile up, and whatever cuts idle connections cuts it in the middle of its work.
Most often the program makes a slow call to another service, or forgot to commit.

## Known limits

Needs PROCESS. One moment only.

## Use instead

Commit before slow work; read what is needed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

LONG = 60.0
VERY_LONG = 600.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each such session: an error where it has held locks for ten minutes."""
    sleeping = {one.id: one for one in case.snapshot.sessions or () if one.idle}
    for transaction in case.snapshot.transactions or ():
        session = sleeping.get(transaction.thread_id)
        if session is None or session.seconds < LONG:
            continue
        locks = transaction.rows_modified or transaction.rows_locked
        yield Claim(
            severity=Severity.ERROR if locks and session.seconds >= VERY_LONG else Severity.WARNING,
            message=f"{session.user}@{session.host} (connection {session.id}) has done nothing for "
            f"{duration(session.seconds)}, in a transaction that is {duration(transaction.seconds)} old",
            why=f"It holds {transaction.rows_locked} row locks and {transaction.rows_modified} changes, and will be "
            f"cut in the middle of its work after {case.snapshot.variables.get('wait_timeout', '?')} s of silence or "
            "earlier.",
            evidence=(
                Evidence(f"connection {session.id} sleeps for {session.seconds:.0f} s", "SHOW PROCESSLIST"),
                Evidence(
                    f"transaction open for {transaction.seconds:.0f} s, {transaction.rows_locked} rows locked",
                    "information_schema.INNODB_TRX",
                ),
                variable(case, "wait_timeout"),
            ),
            remedy=Remedy(
                "Commit before slow work. To free its locks now, end the connection; what it did is rolled back.",
                (f"KILL {session.id};",),
                cost="its owner's work",
            ),
            subject=f"connection {session.id}",
        )


CHECK = Check(
    name="idle-in-transaction",
    title="a session sleeps in an open transaction",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS, Need.TRANSACTIONS),
    reference="https://dev.mysql.com/doc/refman/8.4/en/information-schema-innodb-trx-table.html",
)
