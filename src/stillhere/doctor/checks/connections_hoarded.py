"""One account holds half of all connections, and leaves them idle.

## What it does

Counts sessions by account and host that have done nothing for ten minutes; it speaks when one of them holds half of
``max_connections``, and twenty at least.

## Why it is bad

It is a leak, or a pool far larger than needed. Others are refused when it grows.

## Known limits

Needs PROCESS. One moment only.

## Use instead

Sessions closed in a ``with`` block, and a smaller ``pool_size``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

IDLE = 600.0
FEW = 20


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each such account and host."""
    limit = case.number("max_connections")
    if not limit:
        return
    idle = [one for one in case.snapshot.sessions or () if one.idle and one.seconds >= IDLE]
    for (user, host), count in Counter((one.user, one.host) for one in idle).most_common():
        if count < FEW or count < limit / 2:
            break
        oldest = max(one.seconds for one in idle if (one.user, one.host) == (user, host))
        yield Claim(
            severity=Severity.WARNING,
            message=f"{user}@{host} holds {count} of {limit:.0f} connections and has left them idle for 10 min or more",
            why=f"The oldest has done nothing for {oldest:.0f} s: a leak, or a pool far larger than it needs to be.",
            evidence=(
                Evidence(f"{count} sessions of {user}@{host} asleep for more than 600 s", "SHOW PROCESSLIST"),
                variable(case, "max_connections"),
            ),
            remedy=Remedy(
                "Close sessions where they are used (with …), and give the pool the size that it needs.",
                (_listing(user),),
            ),
            subject=f"{user}@{host}",
        )


def _listing(user: str) -> str:
    """For a person to paste; the doctor doesn't run it."""
    name = user.replace("\\", "\\\\").replace("'", "''")
    where = f"user = '{name}' AND command = 'Sleep'"
    return f"SELECT id, time, db FROM information_schema.PROCESSLIST WHERE {where} ORDER BY time DESC;"  # noqa: S608


CHECK = Check(
    name="connections-hoarded",
    title="one account hoards idle connections",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html",
)
