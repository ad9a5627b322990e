"""The Galera node is cut off from the majority.

## What it does

Reads ``wsrep_cluster_status``.

## Why it is bad

It refuses statements until the network is whole again, or somebody makes it the primary component by hand.

## Known limits

Whether the others run is only seen from there.

## Use instead

Three nodes or an arbitrator, so that one part always has the majority.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.galera import in_cluster
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is."""
    state = case.snapshot.status.get("wsrep_cluster_status", "")
    if not in_cluster(case) or state.lower() == "primary":
        return
    yield Claim(
        severity=Severity.ERROR,
        message=f"the Galera node is not in the primary component ({state or 'unknown'})",
        why=f"It sees {case.snapshot.status.get('wsrep_cluster_size', '?')} nodes, which is no majority, and refuses "
        "statements until the network is whole again.",
        evidence=(status(case, "wsrep_cluster_status", "wsrep_cluster_size"),),
        remedy=Remedy("See that the nodes reach each other; connect applications to the others meanwhile."),
    )


CHECK = Check(
    name="galera-not-primary",
    title="the Galera node has no majority",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://galeracluster.com/library/documentation/quorum-reset.html",
)
