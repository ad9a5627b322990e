"""The Galera node answers no statements.

## What it does

Reads ``wsrep_ready``, where the node belongs to a cluster.

## Why it is bad

Logins work and every statement fails with 1047: a pool keeps such connections, and a load balancer that only connects
takes the node for healthy.

## Known limits

Why it isn't ready stands in the error log.

## Use instead

A health check that runs a statement.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.galera import in_cluster
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it doesn't."""
    if not in_cluster(case) or case.snapshot.status.get("wsrep_ready", "").upper() == "ON":
        return
    yield Claim(
        severity=Severity.ERROR,
        message="the Galera node is not ready: every statement fails with 1047",
        why="Logins still work, so pools and simple health checks take it for healthy; its state is "
        f"{case.snapshot.status.get('wsrep_local_state_comment', '?')!r}.",
        evidence=(status(case, "wsrep_ready", "wsrep_local_state_comment", "wsrep_cluster_status"),),
        remedy=Remedy("See the error log for why; take the node out of the balancer until then."),
    )


CHECK = Check(
    name="galera-not-ready",
    title="the Galera node is not ready",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://galeracluster.com/library/documentation/galera-status-variables.html",
)
