"""An idle-transaction timeout is under half a minute (MariaDB).

## What it does

Looks at ``idle_transaction_timeout``, ``idle_readonly_transaction_timeout`` and ``idle_write_transaction_timeout``.

## Why it is bad

The server closes the connection of a transaction that is silent for longer and rolls it back. A slow call to another
service in the middle of a transaction is enough. Such a transaction is not continued, since it was ended on purpose.

## Known limits

A session that sets its own value isn't seen.

## Use instead

Half a minute or more, and slow calls outside transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

SHORT = 30.0
NAMES = ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout")


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each that is set and short."""
    for name in NAMES:
        seconds = case.number(name)
        if not seconds or seconds >= SHORT:
            continue
        yield Claim(
            severity=Severity.WARNING,
            message=f"{name} is {duration(seconds)}: a transaction that is silent for longer is cut and rolled back",
            why="A slow call to another service in the middle of a transaction is enough.",
            evidence=(variable(case, name),),
            remedy=Remedy("Raise it, and move slow calls out of transactions.", set_variable(case, name, int(SHORT))),
        )


CHECK = Check(
    name="idle-transaction-limit",
    title="an idle-transaction timeout is short",
    topic=Topic.IDLE,
    judge=judge,
    mysql=None,
    advises=tuple((name, Turn.UP) for name in NAMES),
    reference="https://mariadb.com/kb/en/server-system-variables/#idle_transaction_timeout",
)
