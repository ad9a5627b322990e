"""The server could not make room for new connections.

## What it does

Reads ``Connection_errors_internal``.

## Why it is bad

Clients were refused with 1135 *Can't create a new thread*, or for lack of memory: a limit of the operating system
(``ulimit -u``, the service's ``TasksMax``, a container's memory or pids) is lower than ``max_connections``.

## Known limits

Counted since the server started.

## Use instead

A higher limit of the operating system's.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it could not."""
    failed = case.count("connection_errors_internal")
    if not failed:
        return
    yield Claim(
        severity=Severity.ERROR,
        message=f"{plural(failed, 'connection')} failed for lack of threads or memory in {duration(case.uptime)}",
        why="A limit of the operating system's, or of the container, lies below max_connections "
        f"({case.snapshot.variables.get('max_connections', '?')}).",
        evidence=(
            status(case, "Connection_errors_internal", "Max_used_connections"),
            variable(case, "max_connections"),
        ),
        remedy=Remedy(
            "Raise the service's limits on tasks and memory, then restart it.",
            ("[Service]\nTasksMax=infinity\nLimitNPROC=infinity",),
            cost="a restart",
        ),
    )


CHECK = Check(
    name="connection-threads-failed",
    title="connections failed for lack of threads or memory",
    topic=Topic.ROOM,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html#statvar_Connection_errors_xxx",
)
