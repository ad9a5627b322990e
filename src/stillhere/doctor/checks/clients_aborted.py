"""Many connections end without a goodbye.

## What it does

Compares ``Aborted_clients`` with ``Connections``: it speaks from twenty on, when they are 1 % of all connections and
one an hour.

## Why it is bad

The server counts here what it closed for silence, what was cut on the way, what was killed, and programs that ended
without closing. Each was a loss for somebody, or a leak.

## Known limits

The counter doesn't say who or why; the error log does, when it is told to. Counted since the server started.

## Use instead

Pools that replace idle connections, programs that close what they opened.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, log_level, set_variable, status, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity

MANY = 20
SHARE = 0.01


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they are many."""
    aborted, all_of_them = case.count("aborted_clients"), case.count("connections")
    rate = case.per_hour(aborted)
    if aborted < MANY or rate < 1 or aborted < SHARE * all_of_them:
        return
    busiest = ", ".join(f"{one.user}@{one.host} {one.total}" for one in case.accounts[:3])
    accounts = (Evidence(f"connections by account: {busiest}", "performance_schema.accounts"),) if busiest else ()
    level = log_level(case)
    yield Claim(
        severity=Severity.WARNING,
        message=f"{aborted} of {all_of_them} connections ended without a goodbye in {duration(case.uptime)}, "
        f"{rate:.1f} an hour",
        why="Each was cut by a timeout or on the way, or left behind by a program that ended without closing it; "
        f"wait_timeout is {case.snapshot.variables.get('wait_timeout', '?')} s.",
        evidence=(status(case, "Aborted_clients", "Connections", "Uptime"), *accounts, variable(case, "wait_timeout")),
        remedy=Remedy(
            "The error log names account, host and reason of each: read it."
            if level.names_losses
            else "Have the error log name account, host and reason of each, and read it.",
            () if level.names_losses else set_variable(case, level.name, level.wanted),
        ),
    )


CHECK = Check(
    name="clients-aborted",
    title="many connections end without a goodbye",
    topic=Topic.LOSSES,
    judge=judge,
    advises=(("log_error_verbosity", Turn.UP), ("log_warnings", Turn.UP)),
    reference="https://dev.mysql.com/doc/refman/8.4/en/communication-errors.html",
)
