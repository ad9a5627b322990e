"""The replica is far behind its source.

## What it does

Reads the lag that the server reckons; it speaks from a minute on.

## Why it is bad

After a failover to it, the acknowledged writes of that time are missing until it has caught up; who reads here gets old
rows.

## Known limits

The server's reckoning is 0 while nothing arrives. A replica that is delayed on purpose looks the same.

## Use instead

More applier workers, smaller transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

FAR = 60.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each source."""
    for one in case.replicas:
        if one.lag is None or one.lag < FAR or not (one.receiving and one.applying):
            continue
        workers = "slave_parallel_threads" if case.mariadb else "replica_parallel_workers"
        yield Claim(
            severity=Severity.WARNING,
            message=f"the replica is {duration(one.lag)} behind {one.source}",
            why="Who reads here gets rows that old; after a failover to it, that much is missing until it has caught "
            "up.",
            evidence=(Evidence(f"{one.lag:.0f} s behind its source", "SHOW REPLICA STATUS"),),
            remedy=Remedy(
                "Let more workers apply changes, and keep transactions small.",
                (f"SHOW GLOBAL VARIABLES LIKE '{workers}';",),
            ),
            subject=one.channel or one.source,
        )


CHECK = Check(
    name="replica-behind",
    title="the replica is far behind",
    topic=Topic.ROLE,
    judge=judge,
    needs=(Need.REPLICAS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/replication-administration-status.html",
)
