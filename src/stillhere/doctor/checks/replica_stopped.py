"""The replica doesn't replicate.

## What it does

Looks whether the threads that receive and apply run, for each source.

## Why it is bad

It falls behind until it is of no use at the next failover; who is sent to it reads old rows, and after a failover
acknowledged writes are gone.

## Known limits

A replica that was stopped on purpose, or lags by design, looks the same.

## Use instead

Mend the error and start it again.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each source."""
    for one in case.replicas:
        if one.receiving and one.applying:
            continue
        what = (
            "neither receives nor applies"
            if not (one.receiving or one.applying)
            else ("does not receive" if not one.receiving else "does not apply")
        )
        yield Claim(
            severity=Severity.WARNING,
            message=f"the replica {what} changes from {one.source}{f': {one.error}' if one.error else ''}",
            why="It falls behind: who reads here gets old rows, and after a failover to it acknowledged writes are "
            "gone.",
            evidence=(
                Evidence(f"receiving {_yes(one.receiving)}, applying {_yes(one.applying)}", "SHOW REPLICA STATUS"),
            ),
            remedy=Remedy(
                "Mend what the error says, then start it.",
                ("START ALL SLAVES;" if case.mariadb else "START REPLICA;",),
            ),
            subject=one.channel or one.source,
        )


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


CHECK = Check(
    name="replica-stopped",
    title="the replica doesn't replicate",
    topic=Topic.ROLE,
    judge=judge,
    needs=(Need.REPLICAS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/replication-administration-status.html",
)
