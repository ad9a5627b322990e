"""The server gave up sending results to slow readers.

## What it does

Reads how often error 1161 was raised.

## Why it is bad

Each was a connection that was cut in the middle of a result, because its client took nothing of it for
``net_write_timeout``.

## Known limits

Counted since the server started or the table was emptied.

## Use instead

Fetch a result whole, or in pages, and work on it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it did."""
    seen = case.raised("ER_NET_WRITE_INTERRUPTED")
    if seen is None:
        return
    last = f", the last at {seen.last:%Y-%m-%d %H:%M:%S} UTC" if seen.last else ""
    yield Claim(
        severity=Severity.WARNING,
        message=f"{plural(seen.raised, 'result')} given up because their reader was too slow{last}",
        why="Nothing of them was taken for net_write_timeout "
        f"({case.snapshot.variables.get('net_write_timeout', '?')} s): work between the fetches of an unbuffered "
        "result.",
        evidence=(
            Evidence(f"error {seen.code} raised {seen.raised} times", "events_errors_summary_global_by_error"),
            variable(case, "net_write_timeout"),
        ),
        remedy=Remedy(
            "Fetch in pages and work on each page afterwards; then count anew.",
            ("TRUNCATE TABLE performance_schema.events_errors_summary_global_by_error;",),
        ),
    )


CHECK = Check(
    name="writes-timed-out",
    title="results were given up for slow readers",
    topic=Topic.LOSSES,
    judge=judge,
    needs=(Need.ERRORS,),
    mysql=(8, 0),
    mariadb=None,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_net_write_timeout",
)
