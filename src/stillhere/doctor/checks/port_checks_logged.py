"""Something connects at regular times and leaves without logging in.

## What it does

Names the hosts whose broken-off logins come with the regularity of a machine.

## Why it is bad

It fills the log and `Aborted_connects`, so that real trouble doesn't stand out, and counts towards the blocking of its
host.

## Known limits

A note only.

## Use instead

A health check that logs in and quits.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note for each host."""
    for one in case.log.noise if case.log is not None else ():
        yield Claim(
            severity=Severity.INFO,
            message=f"{one.host} connects every {duration(round(one.period))} and leaves without logging in",
            why=f"{one.count} lines of the log are its own: a monitor or a load balancer's port check.",
            evidence=(Evidence(f"{one.count} times, every {one.period:.0f} s", "error log"),),
            remedy=Remedy("Let the check log in and quit.", ("mysqladmin ping --host=… --user=…",)),
            subject=one.host,
        )


CHECK = Check(
    name="port-checks-logged",
    title="something knocks without logging in",
    topic=Topic.LOG,
    judge=judge,
    needs=(Need.LOG,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/communication-errors.html",
)
