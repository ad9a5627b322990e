"""The client gives up before the server's lock wait does.

## What it does

Compares the engine's ``read_timeout`` with ``innodb_lock_wait_timeout``.

## Why it is bad

A statement that waits for a lock should fail with 1205, with its connection and transaction alive. Instead the client
hangs up first and reports 2013, and what it leaves behind holds its own locks until the server notices.

## Known limits

A session may set its own lock wait.

## Use instead

A lock wait shorter than the read timeout.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine with a shorter limit."""
    wait = case.number("innodb_lock_wait_timeout")
    shortest = min((one.read_timeout for one in case.engines if one.read_timeout), default=0.0)
    for engine in case.engines:
        limit = engine.read_timeout
        if not wait or not limit or limit > wait:
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} gives up after {limit:.0f} s, a wait for a lock lasts up to {wait:.0f} s",
            why="Instead of 1205, after which the connection lives, it gets 2013, and leaves a transaction behind "
            "whose locks nobody needs.",
            evidence=(
                Evidence(f"read_timeout {limit:.0f} s", f"engine {engine.name}"),
                variable(case, "innodb_lock_wait_timeout"),
            ),
            remedy=Remedy(
                "Let waits for locks end before the client gives up.",
                set_variable(case, "innodb_lock_wait_timeout", max(1, int(shortest / 2))),
                cost="statements that would have got the lock in that time fail with 1205",
            ),
            subject=engine.name,
        )


CHECK = Check(
    name="lock-wait-outlasts-client",
    title="lock waits outlast the client's read timeout",
    topic=Topic.STATEMENTS,
    judge=judge,
    needs=(Need.ENGINES,),
    advises=(("innodb_lock_wait_timeout", Turn.DOWN),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/innodb-parameters.html#sysvar_innodb_lock_wait_timeout",
)
