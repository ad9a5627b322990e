"""The server is in offline mode.

## What it does

Looks at ``offline_mode``.

## Why it is bad

Ordinary accounts are thrown out and kept out, with 3032; administrators notice nothing.

## Known limits

None.

## Use instead

``offline_mode = OFF``, once the work that it was for is done.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is."""
    if not case.on("offline_mode"):
        return
    yield Claim(
        severity=Severity.ERROR,
        message="the server is in offline mode: ordinary accounts are thrown out and kept out",
        why="Their statements and logins fail with 3032, while an administrator's work.",
        evidence=(variable(case, "offline_mode"),),
        remedy=Remedy("Switch it off once the work is done.", set_variable(case, "offline_mode", "OFF")),
    )


CHECK = Check(
    name="offline-mode",
    title="the server is in offline mode",
    topic=Topic.ROLE,
    judge=judge,
    mariadb=None,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_offline_mode",
)
