"""``max_connections`` has been reached.

## What it does

Compares ``Max_used_connections`` with ``max_connections``.

## Why it is bad

Whoever came while it was full was refused with 1040 *Too many connections*. It comes again at the next peak.

## Known limits

The mark is the highest since the server started or ``FLUSH STATUS``. Raising the limit helps only where the machine has
the memory for it, and not against a leak: see ``connections-hoarded`` and ``pools-exceed-max-connections``.

## Use instead

Fewer or smaller pools, or a higher limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import raise_variable, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import roomy_connections
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it was: an error where it is full now."""
    limit, most = case.number("max_connections"), case.count("max_used_connections")
    if not limit or most < limit:
        return
    now, refused = case.count("threads_connected"), case.count("connection_errors_max_connections")
    full = now >= limit
    when = case.snapshot.status.get("max_used_connections_time", "")
    yield Claim(
        severity=Severity.ERROR if full else Severity.WARNING,
        message=f"max_connections ({limit:.0f}) {'is reached' if full else 'has been reached'}: {most} "
        f"connections{f' at {when}' if when else ''}, {now} now",
        why=f"{refused} clients were refused for it since the server started; the next peak refuses more.",
        evidence=(
            variable(case, "max_connections"),
            status(case, "Max_used_connections", "Threads_connected", "Connection_errors_max_connections"),
        ),
        remedy=Remedy(
            "See who holds them first; where all of them are needed, raise the limit.",
            raise_variable(case, "max_connections", roomy_connections(case)),
            cost="memory for each connection that is opened",
        ),
    )


CHECK = Check(
    name="max-connections-reached",
    title="max_connections has been reached",
    topic=Topic.ROOM,
    judge=judge,
    advises=(("max_connections", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/too-many-connections.html",
)
