"""The application logs in as an interactive client.

## What it does

Looks for the client flag ``CLIENT_INTERACTIVE`` in what the engine passes to its driver.

## Why it is bad

Its sessions get ``interactive_timeout`` as their ``wait_timeout``: whoever raises ``wait_timeout`` raises it in vain.

## Known limits

Silent where both are the same.

## Use instead

No such flag.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine, where the two limits differ."""
    program, person = case.number("wait_timeout"), case.number("interactive_timeout")
    if program == person:
        return
    for engine in case.engines:
        if not engine.interactive:
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} logs in as an interactive client: its limit is interactive_timeout, {person:.0f} s",
            why=f"wait_timeout is {program:.0f} s and has no effect on it.",
            evidence=(
                Evidence("client_flag has CLIENT_INTERACTIVE", f"engine {engine.name}"),
                variable(case, "wait_timeout", "interactive_timeout"),
            ),
            remedy=Remedy("Take the flag out of connect_args or of the URL."),
            subject=engine.name,
        )


CHECK = Check(
    name="interactive-client",
    title="the application is an interactive client",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://dev.mysql.com/doc/c-api/8.4/en/mysql-real-connect.html",
)
