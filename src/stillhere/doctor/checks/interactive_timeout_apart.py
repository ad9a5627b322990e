"""``interactive_timeout`` is far longer than ``wait_timeout``.

## What it does

Compares the two global variables, where ``wait_timeout`` is under an hour.

## Why it is bad

The command-line client logs in as an interactive one and gets ``interactive_timeout`` as its session's
``wait_timeout``. Who tries there how long a connection lasts sees another limit than the application has.

## Known limits

Many people set them apart on purpose, so it is only a note.

## Use instead

Ask ``SHOW GLOBAL VARIABLES LIKE 'wait_timeout'``, or the application's own session.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, variable
from stillhere.doctor.case import HOUR, Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

FACTOR = 10


def judge(case: Case) -> Iterator[Claim]:
    """One note where they are far apart."""
    program, person = case.number("wait_timeout"), case.number("interactive_timeout")
    if program is None or person is None or program >= HOUR or person < FACTOR * program:
        return
    yield Claim(
        severity=Severity.INFO,
        message=f"a command-line session lasts {duration(person)}, an application's only {duration(program)}",
        why="Trying it by hand shows another limit than the application meets.",
        evidence=(variable(case, "wait_timeout", "interactive_timeout"),),
        remedy=Remedy("Ask for the global value, not the session's.", ("SHOW GLOBAL VARIABLES LIKE 'wait_timeout';",)),
    )


CHECK = Check(
    name="interactive-timeout-apart",
    title="interactive_timeout hides a short wait_timeout",
    topic=Topic.IDLE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_interactive_timeout",
)
