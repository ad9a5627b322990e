"""A fresh session has another ``wait_timeout`` than the global one.

## What it does

Compares what the doctor's own login got with the global value.

## Why it is bad

Something changes the session as it begins: ``init_connect``, an ``init_command`` in the URL, a proxy. Whoever reads
``SHOW GLOBAL VARIABLES`` plans with the wrong number.

## Known limits

It speaks for the account and the URL that the doctor was given. ``init_connect`` isn't run for accounts with
CONNECTION_ADMIN or SUPER.

## Use instead

One place that sets it: the global variable.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

SHORT = 60.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they differ: a warning where the session's is under a minute."""
    everybody = case.number("wait_timeout")
    text = case.snapshot.session_variables.get("wait_timeout", "")
    if everybody is None or not text.isdecimal() or float(text) == everybody:
        return
    own = float(text)
    yield Claim(
        severity=Severity.WARNING if own < SHORT else Severity.INFO,
        message=f"a fresh session's wait_timeout is {duration(own)}, not the global {duration(everybody)}",
        why="Something sets it as a session begins, so that the global value misleads whoever plans with it.",
        evidence=(Evidence(f"wait_timeout = {text}", "SHOW SESSION VARIABLES"), variable(case, "wait_timeout")),
        remedy=Remedy(
            "Find what sets it (init_connect, init_command in the URL, a proxy), and set the global variable instead.",
            ("SHOW GLOBAL VARIABLES LIKE 'init_connect';",),
        ),
    )


CHECK = Check(
    name="session-timeout-differs",
    title="a fresh session has another wait_timeout",
    topic=Topic.IDLE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_init_connect",
)
