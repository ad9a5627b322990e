"""Many attempts to connect fail.

## What it does

Compares ``Aborted_connects`` with ``Connections``: it speaks from twenty on, when they are 5 % of all connections and
ten an hour.

## Why it is bad

Clients that are refused, port checks that hang up, or handshakes that take too long. They also count towards the
blocking of their host.

## Known limits

Wrong passwords are counted here too; see ``logins-denied``. Counted since the server started.

## Use instead

Health checks that log in and quit.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

MANY = 20
SHARE = 0.05
HOURLY = 10.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they are many."""
    aborted, all_of_them = case.count("aborted_connects"), case.count("connections")
    rate = case.per_hour(aborted)
    if aborted < MANY or rate < HOURLY or aborted < SHARE * all_of_them:
        return
    before = case.snapshot.count("aborted_connects_preauth")
    hosts = sorted((one for one in case.hosts if one.handshake_errors), key=lambda one: -one.handshake_errors)[:3]
    where = ", ".join(f"{one.ip} {one.handshake_errors}" for one in hosts)
    yield Claim(
        severity=Severity.WARNING,
        message=f"{aborted} of {all_of_them} attempts to connect failed in {duration(case.uptime)}, {rate:.0f} an hour",
        why=f"{before} of them gave up before they had logged in: port checks, or handshakes that took too long."
        if before
        else "Wrong passwords, port checks that hang up, or handshakes that took too long.",
        evidence=(
            status(case, "Aborted_connects", "Connections", "Uptime"),
            *((status(case, "Aborted_connects_preauth"),) if before is not None else ()),
            *((Evidence(f"broken handshakes by host: {where}", "performance_schema.host_cache"),) if where else ()),
        ),
        remedy=Remedy(
            "Find them in the error log; let health checks log in and quit.", ("mysqladmin ping --host=… --user=…",)
        ),
    )


CHECK = Check(
    name="connects-aborted",
    title="many attempts to connect fail",
    topic=Topic.LOSSES,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/communication-errors.html",
)
