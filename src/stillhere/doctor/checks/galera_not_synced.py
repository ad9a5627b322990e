"""The Galera node lags behind its cluster.

## What it does

Reads ``wsrep_local_state_comment``, where the node is ready.

## Why it is bad

A donor or a joiner answers with old rows, or blocks. A client that was moved there sees its own writes missing.

## Known limits

A node that was desynchronised for a backup is meant to be so.

## Use instead

A balancer that leaves out nodes that aren't ``Synced``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.galera import in_cluster
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is ready and not in step."""
    state = case.snapshot.status.get("wsrep_local_state_comment", "")
    ready = case.snapshot.status.get("wsrep_ready", "").upper() == "ON"
    if not in_cluster(case) or not ready or state.lower() == "synced":
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"the Galera node is {state or 'in an unknown state'}, not Synced",
        why="It answers with old rows or blocks; who is moved here misses their own writes.",
        evidence=(status(case, "wsrep_local_state_comment", "wsrep_local_recv_queue"),),
        remedy=Remedy("Take it out of the balancer until it is Synced."),
    )


CHECK = Check(
    name="galera-not-synced",
    title="the Galera node lags behind",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://galeracluster.com/library/documentation/galera-status-variables.html",
)
