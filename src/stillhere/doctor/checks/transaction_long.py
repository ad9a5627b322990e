"""A transaction has been open for more than an hour.

## What it does

Finds transactions of more than an hour whose session isn't asleep.

## Why it is bad

Everything that it did is lost when its connection is, and undoing it takes as long as doing it did. Old row versions
pile up meanwhile, which slows everything else down.

## Known limits

Needs PROCESS. A backup's transaction may be meant to be that long. A sleeping one is for ``idle-in-transaction``.

## Use instead

Smaller transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import HOUR, Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each."""
    sessions = {one.id: one for one in case.snapshot.sessions or ()}
    for transaction in case.snapshot.transactions or ():
        session = sessions.get(transaction.thread_id)
        if transaction.seconds < HOUR or (session is not None and session.idle):
            continue
        who = f"{session.user}@{session.host}" if session is not None else "an unknown session"
        doing = f" ({transaction.statement[:80]})" if transaction.statement else ""
        yield Claim(
            severity=Severity.WARNING,
            message=f"a transaction of {who} has been open for {duration(transaction.seconds)}{doing}",
            why=f"It changed {transaction.rows_modified} rows; when its connection is lost, all of that is undone and "
            "has to be done again.",
            evidence=(
                Evidence(
                    f"transaction of connection {transaction.thread_id} open for {transaction.seconds:.0f} s",
                    "information_schema.INNODB_TRX",
                ),
            ),
            remedy=Remedy("Work in smaller portions, each with its own COMMIT."),
            subject=f"connection {transaction.thread_id}",
        )


CHECK = Check(
    name="transaction-long",
    title="a transaction is open for over an hour",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS, Need.TRANSACTIONS),
    reference="https://dev.mysql.com/doc/refman/8.4/en/innodb-purge-configuration.html",
)
