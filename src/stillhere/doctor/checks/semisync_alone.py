"""Commits wait for a replica that isn't there.

## What it does

Looks whether semi-synchronous replication is on while no replica takes part.

## Why it is bad

A COMMIT waits for its timeout (10 s by default) for somebody to confirm it. Clients with a short read timeout report a
lost connection, and can't know whether it was committed.

## Known limits

After one timeout the server goes on without confirmations until a replica is back.

## Use instead

Bring the replica back.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

_WORDS = ("source", "master")  # MySQL 8.0.26 and later; before, and MariaDB


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it does."""
    for word in _WORDS:
        switch, clients = f"rpl_semi_sync_{word}_enabled", f"rpl_semi_sync_{word}_clients"
        if not case.on(switch) or case.snapshot.count(clients) != 0:
            continue
        timeout = f"rpl_semi_sync_{word}_timeout"
        yield Claim(
            severity=Severity.WARNING,
            message="semi-synchronous replication is on, and no replica takes part",
            why=f"A COMMIT waits up to {(case.number(timeout) or 0) / 1000:.0f} s for a confirmation that nobody "
            "sends.",
            evidence=(variable(case, switch, timeout), status(case, clients)),
            remedy=Remedy("Bring the replica back, or switch the waiting off.", (f"SET GLOBAL {switch} = OFF;",)),
        )


CHECK = Check(
    name="semisync-alone",
    title="commits wait for a replica that is away",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/replication-semisync.html",
)
