"""Logins are being denied, again and again.

## What it does

Reads how often a login was denied: ``Access_denied_errors`` on MariaDB, error 1045 on MySQL.

## Why it is bad

Some program tries with a wrong password or an account that is gone, and will go on trying. It never gets better by
retrying, and hides real trouble in the counters.

## Known limits

MariaDB counts denied statements as well. Under a hundred, or under sixty an hour, it is silent.

## Use instead

Find the program, by the error log or by ``host_cache``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, log_level, set_variable, status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity

MANY = 100
HOURLY = 60.0


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they are many."""
    seen = case.raised("ER_ACCESS_DENIED_ERROR")
    denied = seen.raised if seen is not None else case.count("access_denied_errors")
    rate = case.per_hour(denied)
    if denied < MANY or rate < HOURLY:
        return
    worst = max(case.hosts, key=lambda host: host.denied, default=None)
    where = (
        (Evidence(f"{worst.denied} of them from {worst.ip}", "performance_schema.host_cache"),)
        if worst is not None and worst.denied
        else ()
    )
    own = (
        Evidence(f"error {seen.code} raised {seen.raised} times", "events_errors_summary_global_by_error")
        if seen is not None
        else status(case, "Access_denied_errors")
    )
    level = log_level(case)
    yield Claim(
        severity=Severity.WARNING,
        message=f"{denied} logins were denied in {duration(case.uptime)}, {rate:.0f} an hour",
        why="A program goes on trying with a password or an account that is wrong; trying again never mends it.",
        evidence=(own, *where),
        remedy=Remedy(
            "The error log names account and host of each."
            if level.names_losses
            else "Have the error log name account and host of each.",
            () if level.names_losses else set_variable(case, level.name, level.wanted),
        ),
    )


CHECK = Check(
    name="logins-denied",
    title="logins are denied again and again",
    topic=Topic.HOSTS,
    judge=judge,
    advises=(("log_error_verbosity", Turn.UP), ("log_warnings", Turn.UP)),
    reference="https://dev.mysql.com/doc/refman/8.4/en/problems-connecting.html",
)
