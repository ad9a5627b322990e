"""``net_write_timeout`` is under 30 s.

## What it does

Looks at the global ``net_write_timeout``; the server's default is 60 s.

## Why it is bad

While a result is being sent, the server gives up the connection when the client takes nothing of it for that long. A
program that reads a large result row by row, and works on each of them, is cut in the middle of it.

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

SHORT = 30.0
DEFAULT = 60


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is short."""
    seconds = case.number("net_write_timeout")
    if seconds is None or seconds >= SHORT:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"net_write_timeout is {duration(seconds)}, under the default of {DEFAULT} s",
        why="A program that works for that long between two fetches of an unbuffered result loses the rest of it.",
        evidence=(variable(case, "net_write_timeout"),),
        remedy=Remedy("Go back to the server's default.", set_variable(case, "net_write_timeout", DEFAULT)),
    )


CHECK = Check(
    name="net-write-timeout-short",
    title="net_write_timeout is short",
    topic=Topic.IDLE,
    judge=judge,
    advises=(("net_write_timeout", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_net_write_timeout",
)
