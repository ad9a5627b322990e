"""Statements wait for a table's metadata lock.

## What it does

Finds sessions that have waited for a metadata lock for ten seconds or more.

## Why it is bad

An ALTER TABLE waits for an old transaction, and everybody else who wants the table waits behind the ALTER. The
connections pile up until ``max_connections`` is reached.

## Known limits

Needs PROCESS.

## Use instead

``lock_wait_timeout`` of a few seconds in the session that alters tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

LONG = 10.0
_STATE = "waiting for table metadata lock"  # a constant of both servers' sources, not a message


def judge(case: Case) -> Iterator[Claim]:
    """One claim for all that wait."""
    waiting = [one for one in case.snapshot.sessions or () if one.state.lower() == _STATE and one.seconds >= LONG]
    if not waiting:
        return
    first = max(waiting, key=lambda one: one.seconds)
    yield Claim(
        severity=Severity.WARNING,
        message=f"{plural(len(waiting), 'statement')} waiting for a metadata lock, the first for {first.seconds:.0f} s",
        why=f"Whoever wants that table waits behind it, for lock_wait_timeout "
        f"({case.snapshot.variables.get('lock_wait_timeout', '?')} s) at most, each on a connection of its own.",
        evidence=(
            Evidence(f"connection {first.id}: {first.statement[:100]}", "SHOW PROCESSLIST"),
            variable(case, "lock_wait_timeout"),
        ),
        remedy=Remedy(
            "Call the ALTER off, find the old transaction, and alter with a short wait.",
            (f"KILL QUERY {first.id};", "SET SESSION lock_wait_timeout = 5;"),
        ),
        subject=f"connection {first.id}",
    )


CHECK = Check(
    name="metadata-lock-wait",
    title="statements wait for a metadata lock",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/metadata-locking.html",
)
