"""The Galera cluster pauses for a slow node.

## What it does

Reads ``wsrep_flow_control_paused``: the share of time in which replication stood still.

## Why it is bad

Every COMMIT in the cluster waits for the slowest node; clients with a short read timeout take the server for gone.

## Known limits

Counted since the last ``FLUSH STATUS``; from a tenth on.

## Use instead

Find the node with the longest ``wsrep_local_recv_queue``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.galera import in_cluster
from stillhere.findings import Remedy, Severity

MUCH = 0.1


def judge(case: Case) -> Iterator[Claim]:
    """One claim from a tenth of the time on."""
    try:
        paused = float(case.snapshot.status.get("wsrep_flow_control_paused", "0"))
    except ValueError:
        return
    if not in_cluster(case) or paused < MUCH:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"the Galera cluster stood still for {paused:.0%} of the time",
        why="Every COMMIT waits for the slowest node; a client with a short read timeout takes the server for gone.",
        evidence=(status(case, "wsrep_flow_control_paused", "wsrep_local_recv_queue_avg"),),
        remedy=Remedy("Find the node with the longest queue.", ("SHOW GLOBAL STATUS LIKE 'wsrep_local_recv_queue%';",)),
    )


CHECK = Check(
    name="galera-paused",
    title="the Galera cluster pauses for a slow node",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://galeracluster.com/library/documentation/galera-status-variables.html",
)
