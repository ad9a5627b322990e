"""The Galera cluster has an even number of members, two.

## What it does

Reads ``wsrep_cluster_size``.

## Why it is bad

When one of two vanishes, the other has no majority and refuses statements: two nodes are less available than one.

## Known limits

An arbitrator counts as a member, so three are shown then.

## Use instead

A third node, or ``garbd``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.galera import in_cluster
from stillhere.findings import Remedy, Severity

TWO = 2


def judge(case: Case) -> Iterator[Claim]:
    """One claim where there are two."""
    if not in_cluster(case) or case.snapshot.count("wsrep_cluster_size") != TWO:
        return
    yield Claim(
        severity=Severity.WARNING,
        message="the Galera cluster has two members: when one vanishes, the other refuses statements",
        why="One of two is no majority, so that both are gone when one is.",
        evidence=(status(case, "wsrep_cluster_size"),),
        remedy=Remedy("Add a third node or an arbitrator.", ("garbd --address gcomm://… --group …",)),
    )


CHECK = Check(
    name="galera-two-nodes",
    title="the Galera cluster has two members",
    topic=Topic.ROLE,
    judge=judge,
    reference="https://galeracluster.com/library/documentation/arbitrator.html",
)
