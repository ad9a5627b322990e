"""Statements were stopped by a time limit.

## What it does

Reads ``Max_execution_time_exceeded`` (MySQL) or ``Max_statement_time_exceeded`` (MariaDB).

## Why it is bad

Those statements failed with 3024 or 1969. That is no lost connection, though clients often report it as one.

## Known limits

A note only.

## Use instead

Faster statements, or a higher limit for those that need it.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note where there were any."""
    name = "Max_statement_time_exceeded" if case.mariadb else "Max_execution_time_exceeded"
    stopped = case.count(name)
    if not stopped:
        return
    limit = "max_statement_time" if case.mariadb else "max_execution_time"
    yield Claim(
        severity=Severity.INFO,
        message=f"{plural(stopped, 'statement')} stopped by a time limit in {duration(case.uptime)}",
        why=f"They failed with {1969 if case.mariadb else 3024}; their connections live, so nothing was lost.",
        evidence=(status(case, name), variable(case, limit)),
        remedy=Remedy(f"Make them faster, or give them a higher {limit} of their own."),
    )


CHECK = Check(
    name="statements-limited",
    title="statements were stopped by a time limit",
    topic=Topic.STATEMENTS,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_execution_time",
)
