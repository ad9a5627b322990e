"""A host is, or is about to be, blocked for its connection errors.

## What it does

Compares each host's count in ``performance_schema.host_cache`` with ``max_connect_errors``; it speaks from half on.

## Why it is bad

At the limit every connection from that host is refused with 1129 until somebody empties the cache. Health checks that
connect and hang up, and flaky networks, add up to it.

## Known limits

The server counts only where it resolves names, and never for its own loopback. A good login sets the count back to 0.

## Use instead

A health check that logs in and quits; a higher ``max_connect_errors`` where the noise can't be helped.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

NEAR = 0.5


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each host from half of the limit on."""
    limit = case.number("max_connect_errors")
    if not limit:
        return
    for host in case.hosts:
        if host.connect_errors < NEAR * limit:
            continue
        blocked = host.connect_errors >= limit
        name = f"{host.ip} ({host.host})" if host.host else host.ip
        yield Claim(
            severity=Severity.ERROR if blocked else Severity.WARNING,
            message=f"{name} {'is blocked' if blocked else 'is about to be blocked'}: {host.connect_errors} of "
            f"{limit:.0f} connection errors",
            why=f"{host.blocked_attempts} connections were refused with 1129 already."
            if blocked
            else f"After {limit - host.connect_errors:.0f} more without a good login, all are refused with 1129.",
            evidence=(
                Evidence(f"sum_connect_errors = {host.connect_errors}", "performance_schema.host_cache"),
                variable(case, "max_connect_errors"),
            ),
            remedy=Remedy(
                "Find what connects from there and hangs up before it has logged in, then forget the errors.",
                ("FLUSH HOSTS;" if case.mariadb else "TRUNCATE TABLE performance_schema.host_cache;",),
            ),
            subject=host.ip,
        )


CHECK = Check(
    name="host-near-block",
    title="a host is blocked, or about to be",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.HOSTS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/host-cache.html",
)
