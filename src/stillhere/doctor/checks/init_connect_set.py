"""``init_connect`` is set.

## What it does

Says that the server runs statements on each new connection of an ordinary account.

## Why it is bad

When one of them fails, the server lets the client in and then closes the connection at its first statement: every
application loses every connection at once, while administrators, for whom it isn't run, see nothing.

## Known limits

Whether it would fail isn't tried.

## Use instead

The pool's own ``connect`` event, whose errors the application sees.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note where it is."""
    text = case.snapshot.variables.get("init_connect", "").strip()
    if not text:
        return
    yield Claim(
        severity=Severity.INFO,
        message="init_connect runs statements on each new connection of an ordinary account",
        why="Should one of them fail, every such connection is closed at its first statement; administrators don't "
        "see it.",
        # The statements may hold secrets in any place, so they are not shown at all.
        evidence=(Evidence(f"init_connect is set ({len(text)} characters)", "SHOW GLOBAL VARIABLES"),),
        remedy=Remedy("Log in with an ordinary account after each change of it.", ("SELECT @@init_connect;",)),
    )


CHECK = Check(
    name="init-connect-set",
    title="init_connect is set",
    topic=Topic.IDLE,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_init_connect",
)
