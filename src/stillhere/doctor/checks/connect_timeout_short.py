"""``connect_timeout`` is under 5 s.

## What it does

Looks at the global ``connect_timeout``; the server's default is 10 s.

## Why it is bad

A client that hasn't logged in by then is refused. TLS, a sidecar, a slow name server or a busy machine take that long,
and then clients see 2013 *at 'reading authorization packet'* when load is highest.

## Known limits

The client's own limit for connecting is another matter.

## Use instead

The server's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

SHORT = 5.0
DEFAULT = 10


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is short."""
    seconds = case.number("connect_timeout")
    if seconds is None or seconds >= SHORT:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"connect_timeout is {duration(seconds)}, under the default of {DEFAULT} s",
        why="Under load, a login through TLS or a sidecar takes seconds; it is then refused, and counted for "
        "max_connect_errors.",
        evidence=(variable(case, "connect_timeout"),),
        remedy=Remedy("Go back to the server's default.", set_variable(case, "connect_timeout", DEFAULT)),
    )


CHECK = Check(
    name="connect-timeout-short",
    title="connect_timeout is short",
    topic=Topic.IDLE,
    judge=judge,
    advises=(("connect_timeout", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_connect_timeout",
)
