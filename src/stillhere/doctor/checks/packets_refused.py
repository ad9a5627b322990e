"""The server has refused packets that were too large.

## What it does

Reads how often error 1153 was raised.

## Why it is bad

Each time the connection was lost with it, and the statement would be refused again.

## Known limits

The number is kept since the server started or the table was emptied, so it stays after the limit was raised.

## Use instead

Smaller batches, or a larger ``max_allowed_packet``; then empty the table to count anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural, raise_variable, size, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import roomy_packet
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it did."""
    seen = case.raised("ER_NET_PACKET_TOO_LARGE")
    if seen is None:
        return
    limit = case.number("max_allowed_packet") or 0
    last = f", the last at {seen.last:%Y-%m-%d %H:%M:%S} UTC" if seen.last else ""
    yield Claim(
        severity=Severity.WARNING,
        message=f"{plural(seen.raised, 'connection')} lost to a statement or row over max_allowed_packet{last}",
        why=f"The limit is {size(limit)} now; the same statement would be refused again, and cost its connection "
        "again.",
        evidence=(
            Evidence(f"error {seen.code} raised {seen.raised} times", "events_errors_summary_global_by_error"),
            variable(case, "max_allowed_packet"),
        ),
        remedy=Remedy(
            "Split the batch, or raise the limit; then count anew.",
            (
                *raise_variable(case, "max_allowed_packet", roomy_packet(case)),
                "TRUNCATE TABLE performance_schema.events_errors_summary_global_by_error;",
            ),
        ),
    )


CHECK = Check(
    name="packets-refused",
    title="packets over max_allowed_packet were refused",
    topic=Topic.PACKETS,
    judge=judge,
    needs=(Need.ERRORS,),
    mysql=(8, 0),
    mariadb=None,
    advises=(("max_allowed_packet", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/packet-too-large.html",
)
