"""Acknowledged commits may be gone after a crash.

## What it does

Looks at ``innodb_flush_log_at_trx_commit``.

## Why it is bad

At 0, what was committed within the last second is lost when the server crashes, although the client was told that it
is safe; at 2, when the machine does. After a restart nobody can tell which commits are missing, a witness neither.

## Known limits

Machines with a battery-backed cache need the setting of 1 as well. A replica may be meant to run so.

## Use instead

1.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

_NAME = "innodb_flush_log_at_trx_commit"


def judge(case: Case) -> Iterator[Claim]:
    """One claim where a server's crash loses commits; a note where only the machine's does."""
    value = case.number(_NAME)
    if value is None or value == 1:
        return
    never = value == 0
    yield Claim(
        severity=Severity.WARNING if never else Severity.INFO,
        message=f"commits of the last second are lost when the {'server' if never else 'machine'} crashes ({_NAME} = "
        f"{value:.0f})",
        why="The client was told that they are safe, and nobody can tell afterwards which are missing.",
        evidence=(variable(case, _NAME),),
        remedy=Remedy("Write the log at each commit.", set_variable(case, _NAME, 1), cost="a disk flush per commit"),
    )


CHECK = Check(
    name="commits-not-durable",
    title="acknowledged commits may be lost",
    topic=Topic.MACHINE,
    judge=judge,
    advises=((_NAME, Turn.TO),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/innodb-parameters.html#sysvar_innodb_flush_log_at_trx_commit",
)
