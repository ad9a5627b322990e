"""Connections to this server were lost lately.

## What it does

Reads the losses that applications under stillhere recorded on this machine within a week, and counts them by cause.

## Why it is bad

Each was continued or not; some reached the application as an error. They tell what really cuts connections here.

## Known limits

A note while they are under ten and none reached an application. Applications on other machines have records of their
own.

## Use instead

What `stillhere incidents` says of each cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stillhere.doctor.advice import plural
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

MANY = 10


def judge(case: Case) -> Iterator[Claim]:
    """One claim for all of them."""
    if not case.incidents:
        return
    count = len(case.incidents)
    felt = sum(1 for one in case.incidents if one.error)
    causes = Counter(one.cause for one in case.incidents).most_common(4)
    latest = max(case.incidents, key=lambda one: one.at)
    yield Claim(
        severity=Severity.WARNING if felt or count >= MANY else Severity.INFO,
        message=f"{plural(count, 'lost connection')} within a week: "
        + ", ".join(f"{cause} {number}" for cause, number in causes),
        why=f"{felt} of them reached the application as an error. The latest, at {latest.at:%Y-%m-%d %H:%M:%S}: "
        f"{latest.sentence}.",
        evidence=(Evidence(f"{count} recorded, {felt} felt by the application", "stillhere incidents"),),
        remedy=Remedy("See what happened, and what to do about each cause.", ("stillhere incidents --since 168h",)),
    )


CHECK = Check(
    name="losses-recorded",
    title="connections were lost lately",
    topic=Topic.LOSSES,
    judge=judge,
    needs=(Need.INCIDENTS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/gone-away.html",
)
