"""The log names who loses connections, and why.

## What it does

Counts the aborted connections in the log by account, host and reason; it speaks of every group of twenty or more that
comes once an hour or more often.

## Why it is bad

These are losses: connections that were cut by a timeout or on the way, or left behind by a program.

## Known limits

A server logs them only where it is told to; see `log-hides-losses`. Port checks are left out.

## Use instead

What the reason says: a timeout needs a pool that replaces connections sooner; an error in reading, a program that
closes what it opened, or a better way between.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.limits import recycling, safe_recycle, server_limit
from stillhere.errorlog.entry import Kind
from stillhere.findings import Evidence, Remedy, Severity

MANY = 20
HOUR = 3600.0
SHOWN = 5
_LOSSES = {Kind.ABORTED, Kind.IDLE_TIMEOUT, Kind.PACKET_TOO_LARGE}


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each of the largest groups."""
    log = case.log
    if log is None:
        return
    span = (log.last - log.first).total_seconds() if log.first is not None and log.last is not None else HOUR
    hours = max(1.0, span / HOUR)
    noisy = {one.host for one in log.noise}
    groups = [one for one in log.aborts.groups if one.kind in _LOSSES and one.host not in noisy]
    for group in groups[:SHOWN]:
        if group.count < MANY or group.count < hours:
            continue
        idle = group.kind is Kind.IDLE_TIMEOUT or "timeout" in group.reason.lower()  # for the advice alone
        yield Claim(
            severity=Severity.WARNING,
            message=f"{group.user}@{group.host} lost {group.count} connections in {hours:.0f} h: {group.reason}",
            why=f"That is {group.count / hours:.1f} an hour; each was a loss for somebody, or a leak.",
            evidence=(Evidence(f"{group.count} lines of {group.user}@{group.host}: {group.reason}", "error log"),),
            remedy=Remedy(
                "Have its pool replace connections before the timeout, or switch stillhere on."
                if idle
                else "See that this program closes what it opens, and what lies between it and the server.",
                recycling(safe_recycle(case, server_limit(case))) if idle else (),
            ),
            subject=f"{group.user}@{group.host}",
        )


CHECK = Check(
    name="aborts-logged",
    title="the log names connections that are cut",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/communication-errors.html",
)
