"""A transaction waits for another's locks.

## What it does

Finds transactions in the state ``LOCK WAIT`` whose statement has run for ten seconds or more, and names the sleeping
transactions that hold locks meanwhile.

## Why it is bad

After ``innodb_lock_wait_timeout`` it fails with 1205. A client with a shorter read timeout gives up before that, and
takes the server for gone.

## Known limits

Needs PROCESS. Who blocks whom exactly is not asked.

## Use instead

Shorter transactions; see ``idle-in-transaction``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

LONG = 10.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for all that wait."""
    sessions = {one.id: one for one in case.snapshot.sessions or ()}
    transactions = case.snapshot.transactions or ()
    waiting = [
        session
        for one in transactions
        if one.state == "LOCK WAIT" and (session := sessions.get(one.thread_id)) and session.seconds >= LONG
    ]
    if not waiting:
        return
    longest = max(waiting, key=lambda one: one.seconds)
    holders = [
        one.thread_id
        for one in transactions
        if one.rows_locked and (session := sessions.get(one.thread_id)) and session.idle
    ]
    held = f"; connections {', '.join(map(str, holders[:5]))} sleep with locks" if holders else ""
    yield Claim(
        severity=Severity.WARNING,
        message=f"{plural(len(waiting), 'transaction')} waiting for locks, the longest for {longest.seconds:.0f} "
        f"s{held}",
        why=f"After innodb_lock_wait_timeout ({case.snapshot.variables.get('innodb_lock_wait_timeout', '?')} s) they "
        "fail with 1205; a client with a shorter read timeout takes the server for gone.",
        evidence=(
            Evidence(f"connection {longest.id} in LOCK WAIT", "information_schema.INNODB_TRX"),
            Evidence(f"its statement has run for {longest.seconds:.0f} s", "SHOW PROCESSLIST"),
            variable(case, "innodb_lock_wait_timeout"),
        ),
        remedy=Remedy(
            "See who holds the locks, and have it commit sooner.",
            (
                "SELECT * FROM information_schema.INNODB_LOCK_WAITS;"
                if case.mariadb
                else "SELECT * FROM sys.innodb_lock_waits;",
            ),
        ),
        subject=f"connection {longest.id}",
    )


CHECK = Check(
    name="lock-wait-long",
    title="a transaction waits for locks",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS, Need.TRANSACTIONS),
    reference="https://dev.mysql.com/doc/refman/8.4/en/innodb-parameters.html#sysvar_innodb_lock_wait_timeout",
)
