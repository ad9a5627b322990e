"""Something between here and the server drops idle connections.

## What it does

Compares how long idle connections lasted (``--measure-idle``) with the session's ``wait_timeout``.

## Why it is bad

A load balancer, NAT gateway, firewall or proxy forgets connections that are silent, often without telling either side.
The application finds out at its next statement, by a reset or by waiting in vain.

## Known limits

It speaks for the way from where the doctor runs. Only as long as was measured.

## Use instead

A pool that replaces connections before the shortest limit, or TCP keepalive below it.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.idling import End
from stillhere.doctor.limits import recycling, safe_recycle, server_limit
from stillhere.findings import Evidence, Remedy, Severity

SURE = 0.9  # of wait_timeout: what dies later may be the server's own doing


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they died well before the server would have closed them."""
    seen = case.idle
    text = case.snapshot.session_variables.get("wait_timeout", "")
    server = float(text) if text.isdecimal() else case.number("wait_timeout") or 0.0
    if seen is None or seen.ended is None or seen.how is None or seen.ended >= SURE * server:
        return
    yield Claim(
        severity=Severity.ERROR if seen.how is End.SILENCE else Severity.WARNING,
        message=f"idle connections die on the way after {duration(seen.ended)}, long before the server's "
        f"{duration(server)}: {seen.how.value}",
        why=f"Every connection that rests for more than {duration(seen.ended)} in a pool is lost.",
        evidence=(
            Evidence(
                f"alive after {seen.lasted:.1f} s, dead after {seen.ended:.1f} s, {seen.opened} connections watched",
                "--measure-idle",
            ),
            variable(case, "wait_timeout"),
        ),
        remedy=Remedy(
            "Replace pooled connections sooner than that, or have the hop keep them longer.",
            recycling(safe_recycle(case, server_limit(case))),
        ),
    )


CHECK = Check(
    name="idle-cut-on-the-way",
    title="something on the way drops idle connections",
    topic=Topic.IDLE,
    judge=judge,
    needs=(Need.IDLE,),
    reference="https://docs.sqlalchemy.org/en/20/core/pooling.html#setting-pool-recycle",
)
