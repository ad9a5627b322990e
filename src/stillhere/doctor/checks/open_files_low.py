"""The server may open fewer files than connections.

## What it does

Compares ``open_files_limit`` with ``max_connections``.

## Why it is bad

Each connection is an open file, and tables are too. At the limit the server can't accept a client, or can't open a
table for one that it has.

## Known limits

How many files the tables take is not reckoned here.

## Use instead

A limit of five times ``max_connections`` at least, as the server itself asks for at its start.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

SPARE = 10
WANTED = 5


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they are too few for the connections alone."""
    files, connections = case.number("open_files_limit"), case.number("max_connections")
    if not files or not connections or files >= connections + SPARE:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"open_files_limit is {files:.0f}, too few for max_connections = {connections:.0f}",
        why=f"Each connection is an open file: from the {files - SPARE:.0f}th on, clients can't be accepted.",
        evidence=(variable(case, "open_files_limit", "max_connections"),),
        remedy=Remedy(
            "Raise the service's limit of open files, then restart it.",
            (f"[Service]\nLimitNOFILE={max(5000, int(WANTED * connections))}",),
            cost="a restart",
        ),
    )


CHECK = Check(
    name="open-files-low",
    title="fewer open files than connections",
    topic=Topic.ROOM,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_open_files_limit",
)
