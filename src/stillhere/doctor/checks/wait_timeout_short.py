"""``wait_timeout`` is under a minute.

## What it does

Looks at the global ``wait_timeout``, which new sessions start with.

## Why it is bad

The server closes each connection that was silent for longer. Under a minute, an ordinary pause between two requests,
or a slow call to another service within one, is enough: the next statement meets error 2006, 2013 or 4031.

## Known limits

It is silent where every engine that it was shown copes: stillhere is active in it, or it replaces connections sooner.

## Use instead

The server's default of 28800 s, with a pool that replaces connections before that.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

SHORT = 60.0
DEFAULT = 28800


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is short and some application may not cope."""
    seconds = case.number("wait_timeout")
    if seconds is None or seconds >= SHORT:
        return
    if case.engines and all(one.protected or not one.keeps or 0 <= one.recycle < seconds for one in case.engines):
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"wait_timeout is {duration(seconds)}: a connection that is silent for longer is closed",
        why="An ordinary pause between two requests, or a slow call to another service within one, is enough to lose "
        "it.",
        evidence=(variable(case, "wait_timeout"),),
        remedy=Remedy("Go back to the server's default.", set_variable(case, "wait_timeout", DEFAULT)),
    )


CHECK = Check(
    name="wait-timeout-short",
    title="wait_timeout is under a minute",
    topic=Topic.IDLE,
    judge=judge,
    advises=(("wait_timeout", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_wait_timeout",
)
