"""The server fails to find its clients' names.

## What it does

Counts the hosts in ``performance_schema.host_cache`` whose look-ups failed, where the server resolves names.

## Why it is bad

Each new connection waits for the name server before it is greeted. When that is slow or away, logins take seconds and
time out, although nothing is wrong with the database.

## Known limits

A note only, unless the doctor's own login took a second or more.

## Use instead

``skip_name_resolve``, where no account is named after a host name.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import option_lines, plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

SLOW = 1.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim where there are such hosts."""
    failing = [host for host in case.hosts if host.name_errors]
    if not failing or case.on("skip_name_resolve"):
        return
    seconds = case.login_seconds
    errors = sum(host.name_errors for host in failing)
    yield Claim(
        severity=Severity.WARNING if seconds is not None and seconds >= SLOW else Severity.INFO,
        message=f"the names of {plural(len(failing), 'host')} could not be looked up ({plural(errors, 'failure')})",
        why="Each of their logins waits for the name server"
        + (f"; the doctor's own took {seconds:.1f} s." if seconds is not None else "."),
        evidence=(
            Evidence(f"{errors} failed look-ups, such as of {failing[0].ip}", "performance_schema.host_cache"),
            variable(case, "skip_name_resolve"),
        ),
        remedy=Remedy(
            "Switch look-ups off; accounts must then be named after addresses.",
            (option_lines("skip_name_resolve", "ON"),),
            cost="a restart; accounts whose host is a name stop working",
        ),
    )


CHECK = Check(
    name="name-lookups-fail",
    title="the clients' names can't be looked up",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.HOSTS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/host-cache.html",
)
