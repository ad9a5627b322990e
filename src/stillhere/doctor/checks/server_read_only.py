"""The server refuses writes, and replicates from nobody.

## What it does

Looks at ``read_only``, ``super_read_only`` and ``innodb_read_only``, where the server is no replica.

## Why it is bad

Writes fail with 1290, 1836 or 1792. After a failover that is the old primary, whose address some pool still holds; the
connections look healthy, so nothing replaces them.

## Known limits

Where the account may not ask about replication, it is not checked: a replica is meant to be read-only. Amazon Aurora's
servers are never judged, since a reader can't be told from a writer that refuses.

## Use instead

The new primary's address; or ``read_only = OFF``, where this is the primary.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

_AURORA = "aurora_version"  # its readers share the writer's storage and replicate in no way that shows
_NAMES = ("super_read_only", "read_only", "innodb_read_only")


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it does."""
    on = [name for name in _NAMES if case.on(name)]
    if not on or case.replicas or case.members or _AURORA in case.snapshot.variables:
        return
    settable = [name for name in on if name != "innodb_read_only"]
    yield Claim(
        severity=Severity.WARNING,
        message=f"the server refuses writes ({', '.join(on)}), and replicates from nobody",
        why="Writes fail with 1290 on connections that look healthy, so that no pool replaces them: after a failover "
        "this is the old primary.",
        evidence=(variable(case, *on), Evidence("it has no source", "SHOW REPLICA STATUS")),
        remedy=Remedy(
            "Have the application use the new primary's address; where this is the primary, allow writes.",
            tuple(command for name in settable for command in set_variable(case, name, "OFF")),
        ),
    )


CHECK = Check(
    name="server-read-only",
    title="the server refuses writes",
    topic=Topic.ROLE,
    judge=judge,
    needs=(Need.REPLICAS, Need.MEMBERS),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_read_only",
)
