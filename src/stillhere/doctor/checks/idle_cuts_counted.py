"""The server has been closing idle connections.

## What it does

Reads how often error 4031 was raised, which the server sends before it closes a connection that was silent for longer
than its ``wait_timeout`` (MySQL 8.0.24 and later).

## Why it is bad

Each of them is a connection that some pool believed in.

## Known limits

Forgotten command-line sessions are counted too: under ten, or under one an hour, it is only a note.

## Use instead

A pool that replaces connections before ``wait_timeout``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.limits import recycling, safe_recycle, server_limit
from stillhere.findings import Evidence, Remedy, Severity

MANY = 10


def judge(case: Case) -> Iterator[Claim]:
    """One claim where there were any: a warning from ten on, and one an hour."""
    seen = case.raised("ER_CLIENT_INTERACTION_TIMEOUT")
    if seen is None:
        return
    rate = case.per_hour(seen.raised)
    last = f", the last at {seen.last:%Y-%m-%d %H:%M:%S} UTC" if seen.last else ""
    yield Claim(
        severity=Severity.WARNING if seen.raised >= MANY and rate >= 1 else Severity.INFO,
        message=f"the server closed {plural(seen.raised, 'idle connection')} in {duration(case.uptime)}{last}",
        why=f"Each was silent for longer than its wait_timeout ({case.snapshot.variables.get('wait_timeout', '?')} s); "
        "its owner learns of it at the next statement.",
        evidence=(
            Evidence(f"error {seen.code} raised {seen.raised} times", "events_errors_summary_global_by_error"),
            variable(case, "wait_timeout"),
        ),
        remedy=Remedy(
            "Have the pool replace connections before wait_timeout, or switch stillhere on.",
            recycling(safe_recycle(case, server_limit(case))),
        ),
    )


CHECK = Check(
    name="idle-cuts-counted",
    title="the server has been closing idle connections",
    topic=Topic.IDLE,
    judge=judge,
    needs=(Need.ERRORS,),
    mysql=(8, 0, 24),
    mariadb=None,
    reference="https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html",
)
