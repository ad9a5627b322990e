"""The server could not accept connections.

## What it does

Reads ``Connection_errors_accept`` and ``Connection_errors_select``.

## Why it is bad

Clients were turned away by the operating system, most often because the server had too many open files.

## Known limits

Counted since the server started.

## Use instead

A higher limit of open files.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it could not."""
    failed = case.count("connection_errors_accept") + case.count("connection_errors_select")
    if not failed:
        return
    yield Claim(
        severity=Severity.ERROR,
        message=f"{plural(failed, 'connection')} could not be accepted in {duration(case.uptime)}",
        why="Most often the server has too many open files; its limit is "
        f"{case.snapshot.variables.get('open_files_limit', '?')}.",
        evidence=(
            status(case, "Connection_errors_accept", "Connection_errors_select"),
            variable(case, "open_files_limit"),
        ),
        remedy=Remedy("Raise the service's limit of open files, then restart it.", ("[Service]\nLimitNOFILE=65535",)),
    )


CHECK = Check(
    name="accept-failed",
    title="connections could not be accepted",
    topic=Topic.ROOM,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html#statvar_Connection_errors_xxx",
)
