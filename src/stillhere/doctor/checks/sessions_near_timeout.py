"""Sessions are about to reach ``wait_timeout``.

## What it does

Counts sessions that have been silent for more than nine tenths of the global ``wait_timeout``.

## Why it is bad

The server closes them within minutes. Who holds them in a pool without a check at checkout meets an error at the next
use.

## Known limits

A note only: whether their owner copes isn't known here. A session may have a timeout of its own.

## Use instead

A pool that replaces connections before that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.limits import recycling, safe_recycle, server_limit
from stillhere.findings import Evidence, Remedy, Severity

NEAR = 0.9


def judge(case: Case) -> Iterator[Claim]:
    """One note where there are any."""
    limit = case.number("wait_timeout")
    if not limit:
        return
    near = [one for one in case.snapshot.sessions or () if one.idle and one.seconds >= NEAR * limit]
    if not near:
        return
    owners = Counter(f"{one.user}@{one.host}" for one in near).most_common(3)
    yield Claim(
        severity=Severity.INFO,
        message=f"silent for more than 90 % of wait_timeout ({duration(limit)}): {plural(len(near), 'session')}",
        why=f"The server closes the first of them in {max(0.0, limit - max(one.seconds for one in near)):.0f} s or "
        "less.",
        evidence=(
            Evidence(", ".join(f"{count} of {owner}" for owner, count in owners), "SHOW PROCESSLIST"),
            variable(case, "wait_timeout"),
        ),
        remedy=Remedy(
            "Have the pool replace connections sooner, or switch stillhere on.",
            recycling(safe_recycle(case, server_limit(case))),
        ),
    )


CHECK = Check(
    name="sessions-near-timeout",
    title="sessions are about to be cut",
    topic=Topic.HOLDERS,
    judge=judge,
    needs=(Need.SESSIONS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/gone-away.html",
)
