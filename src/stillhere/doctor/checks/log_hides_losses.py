"""The error log is told to leave out warnings.

## What it does

Looks at ``log_error_verbosity`` (MySQL) or ``log_warnings`` (MariaDB).

## Why it is bad

Connections that the server aborts, hosts that it blocks and limits that it lowers aren't logged: a loss leaves
no trace.

## Known limits

MySQL's default leaves out aborted connections as well, and counts as good here; ``clients-aborted`` asks for more where
there are any.

## Use instead

The default or more.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import log_level, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

DEFAULT = 2


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is below the default."""
    level = log_level(case)
    if level.name not in case.snapshot.variables or level.value >= DEFAULT:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"the error log leaves out warnings ({level.name} = {level.value:.0f})",
        why=f"{case.count('aborted_clients')} connections ended without a goodbye since the server started, and the "
        "log says nothing of them.",
        evidence=(variable(case, level.name),),
        remedy=Remedy(
            "Have it name account, host and reason of each aborted connection.",
            set_variable(case, level.name, level.wanted),
        ),
    )


CHECK = Check(
    name="log-hides-losses",
    title="the error log leaves out warnings",
    topic=Topic.MACHINE,
    judge=judge,
    advises=(("log_error_verbosity", Turn.UP), ("log_warnings", Turn.UP)),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_log_error_verbosity",
)
