"""``wait_timeout`` is over a day.

## What it does

Looks at the global ``wait_timeout``, and counts the sessions that have been silent for longer than the default.

## Why it is bad

A client whose machine or network vanished leaves its connection behind, with its transaction and locks, until
``wait_timeout`` is over. A long one doesn't keep connections alive either: the shortest limit on the way still cuts
them, and leaks of connections stay hidden until ``max_connections`` is reached.

## Known limits

Whoever sees the sessions of other accounts only in part (no PROCESS) counts only their own.

## Use instead

The default of 28800 s, and a pool that replaces or keeps alive what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity

LONG = 86400.0
DEFAULT = 28800


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is long."""
    seconds = case.number("wait_timeout")
    if seconds is None or seconds <= LONG:
        return
    stale = sum(1 for one in case.snapshot.sessions or () if one.idle and one.seconds > DEFAULT)
    yield Claim(
        severity=Severity.WARNING,
        message=f"wait_timeout is {duration(seconds)}: what a vanished client leaves behind stays as long",
        why=f"By now {plural(stale, 'session')} silent for more than 8 h: each holds a place of max_connections "
        f"({case.snapshot.variables.get('max_connections', '?')}). Whatever else cuts idle connections still does.",
        evidence=(
            variable(case, "wait_timeout"),
            Evidence(f"{stale} sessions silent for more than 8 h", "SHOW PROCESSLIST"),
        ),
        remedy=Remedy(
            "Go back to the default, and let the pool replace or keep alive what it holds.",
            set_variable(case, "wait_timeout", DEFAULT),
        ),
    )


CHECK = Check(
    name="wait-timeout-long",
    title="wait_timeout is over a day",
    topic=Topic.IDLE,
    judge=judge,
    advises=(("wait_timeout", Turn.DOWN),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_wait_timeout",
)
