"""Logging in takes seconds.

## What it does

Takes the time of the doctor's own login; it speaks from two seconds on.

## Why it is bad

Every connection that a pool opens or replaces costs a user that long, and after a restart all of them at once.

## Known limits

One login, from where the doctor runs. A busy machine on either side looks the same; among more than
eight servers it isn't measured, since the doctor itself is busy then.

## Use instead

Look for the name server, TLS, and the way between.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

SLOW = 2.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it took long."""
    if case.login_seconds is None or case.login_seconds < SLOW:
        return
    names = not case.on("skip_name_resolve")
    yield Claim(
        severity=Severity.WARNING,
        message=f"logging in took {case.login_seconds:.1f} s",
        why="Every connection that a pool opens or replaces costs that long, and after a restart all of them at once.",
        evidence=(
            Evidence(f"connected after {case.login_seconds:.1f} s", "the doctor's own login"),
            variable(case, "skip_name_resolve"),
        ),
        remedy=Remedy(
            "See whether the client's name is looked up in vain; else look at the way between, and at TLS."
            if names
            else "Look at the way between, and at TLS; names are not looked up here.",
            ("dig -x CLIENT_ADDRESS",) if names else (),
        ),
    )


CHECK = Check(
    name="login-slow",
    title="logging in takes seconds",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.LOGIN,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/host-cache.html",
)
