"""The account's password is about to end.

## What it does

Adds the password's lifetime to the day on which it was set, for the account that logged in; it speaks from two weeks
before.

## Why it is bad

From that day on logins are refused with 1862, or every statement with 1820: each connection works until it is replaced.

## Known limits

MySQL only: MariaDB doesn't show the day. Needs SELECT on ``mysql.user``.

## Use instead

``PASSWORD EXPIRE NEVER`` for an application's account whose password is changed by other means.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from stillhere.doctor.advice import account_literal
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

NOTICE = 14


def judge(case: Case) -> Iterator[Claim]:
    """One claim from two weeks before the end on."""
    account = case.account
    if account is None or not account.password_days or account.password_set is None:
        return
    end = account.password_set + timedelta(days=account.password_days)
    left = (end - case.snapshot.taken_at).days
    if left > NOTICE:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"the password of {account.name} ends on {end:%Y-%m-%d}, in {left} days",
        why="From then on logins are refused with 1862: every connection works until it is replaced.",
        evidence=(
            Evidence(
                f"set on {account.password_set:%Y-%m-%d}, good for {account.password_days} days",
                "mysql.user, default_password_lifetime",
            ),
        ),
        remedy=Remedy(
            "Set a new password in time, or let this account's never end.",
            (f"ALTER USER {account_literal(case)} PASSWORD EXPIRE NEVER;",),
        ),
        subject=account.name,
    )


CHECK = Check(
    name="password-ends",
    title="the account's password is about to end",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.ACCOUNT,),
    mariadb=None,
    reference="https://dev.mysql.com/doc/refman/8.4/en/password-management.html",
)
