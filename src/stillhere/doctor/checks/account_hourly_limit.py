"""The account's logins or statements are rationed by the hour.

## What it does

Looks at ``MAX_CONNECTIONS_PER_HOUR`` and ``MAX_QUERIES_PER_HOUR`` of the account that logged in.

## Why it is bad

When the ration is used up, every login or statement is refused with 1226 until the hour is over; waiting and trying
again uses up more of it.

## Known limits

Needs SELECT on ``mysql.user``.

## Use instead

No ration; a limit on connections held at once, if one is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import account_literal
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where there is such a limit."""
    account = case.account
    if account is None or not (account.connections_per_hour or account.queries_per_hour):
        return
    rations = [
        text
        for text, count in (
            (f"{account.connections_per_hour} logins", account.connections_per_hour),
            (f"{account.queries_per_hour} statements", account.queries_per_hour),
        )
        if count
    ]
    yield Claim(
        severity=Severity.WARNING,
        message=f"{account.name} may make {' and '.join(rations)} in an hour",
        why="When that is used up, everything is refused with 1226 until the hour is over.",
        evidence=(
            Evidence(
                f"max_connections = {account.connections_per_hour}, max_questions = {account.queries_per_hour}",
                "mysql.user",
            ),
        ),
        remedy=Remedy(
            "Lift the ration.",
            (f"ALTER USER {account_literal(case)} WITH MAX_CONNECTIONS_PER_HOUR 0 MAX_QUERIES_PER_HOUR 0;",),
        ),
        subject=account.name,
    )


CHECK = Check(
    name="account-hourly-limit",
    title="the account is rationed by the hour",
    topic=Topic.ROOM,
    judge=judge,
    needs=(Need.ACCOUNT,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/user-resources.html",
)
