"""``init_connect`` sets ``wait_timeout``.

## What it does

Looks for an assignment of ``wait_timeout`` in the global ``init_connect``.

## Why it is bad

Ordinary accounts get that timeout, administrators don't: who looks into it with an administrator's account sees
connections that last.

## Known limits

A timeout that a stored procedure sets, called from ``init_connect``, isn't seen.

## Use instead

The global variable, which counts for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stillhere.doctor.advice import duration, set_variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

_SETS = re.compile(r"wait_timeout\s*:?=\s*(\d+)", re.IGNORECASE)


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it does."""
    found = _SETS.search(case.snapshot.variables.get("init_connect", ""))
    if found is None:
        return
    everybody = case.number("wait_timeout") or 0.0
    alone = case.snapshot.variables["init_connect"].count(";") == 0
    yield Claim(
        severity=Severity.WARNING,
        message=f"init_connect gives ordinary accounts a wait_timeout of {duration(float(found[1]))}",
        why=f"The global value says {duration(everybody)}, and administrators get that: they can't see what the "
        "application meets.",
        evidence=(Evidence(f"init_connect has: {found[0]}", "SHOW GLOBAL VARIABLES"),),
        remedy=Remedy(
            "Take it out of init_connect, and set the global wait_timeout if the limit is meant.",
            set_variable(case, "init_connect", "''")
            if alone and not case.mariadb
            else ("SET GLOBAL init_connect = '';",)
            if alone
            else (),
        ),
    )


CHECK = Check(
    name="init-connect-sets-timeout",
    title="init_connect sets wait_timeout",
    topic=Topic.IDLE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_init_connect",
)
