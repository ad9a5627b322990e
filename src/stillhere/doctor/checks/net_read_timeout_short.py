"""``net_read_timeout`` is under 10 s.

## What it does

Looks at the global ``net_read_timeout``; the server's default is 30 s.

## Why it is bad

While a statement is being sent, the server gives up the connection when nothing more of it comes for that long. A large
INSERT over a slow or lossy line is then cut in its middle.

## Known limits

A session that sets its own value isn't seen.

## Use instead

The server's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

SHORT = 10.0
DEFAULT = 30


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is short."""
    seconds = case.number("net_read_timeout")
    if seconds is None or seconds >= SHORT:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"net_read_timeout is {duration(seconds)}, under the default of {DEFAULT} s",
        why="A client that stalls in the middle of sending a large statement for that long is cut.",
        evidence=(variable(case, "net_read_timeout"),),
        remedy=Remedy("Go back to the server's default.", set_variable(case, "net_read_timeout", DEFAULT)),
    )


CHECK = Check(
    name="net-read-timeout-short",
    title="net_read_timeout is short",
    topic=Topic.IDLE,
    judge=judge,
    advises=(("net_read_timeout", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_net_read_timeout",
)
