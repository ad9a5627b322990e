"""The account may hold fewer connections than its pools may ask for.

## What it does

Compares the limit of the account that logged in (``max_user_connections``, its own or the server's) with what the
application's pools may hold.

## Why it is bad

Past it, new connections are refused with 1203 or 1226 while the server has room.

## Known limits

It speaks for the account that the doctor logged in with.

## Use instead

A higher limit for the account, or smaller pools.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import account_literal
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import demand
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where the pools' sum is over it."""
    text = case.snapshot.session_variables.get("max_user_connections", "0")
    limit = float(text) if text.isdecimal() else 0.0
    wanted = demand(case)
    if not limit or wanted <= limit:
        return
    yield Claim(
        severity=Severity.ERROR,
        message=f"the account may hold {limit:.0f} connections, the pools may ask for {wanted}",
        why=f"{wanted - limit:.0f} of them are refused with 1203 or 1226 under full load, however much room there is.",
        evidence=(
            Evidence(f"max_user_connections = {text}", "SHOW SESSION VARIABLES"),
            Evidence(f"the pools may hold {wanted}", ", ".join(f"engine {one.name}" for one in case.engines)),
        ),
        remedy=Remedy(
            "Raise the account's limit, or make the pools smaller.",
            (f"ALTER USER {account_literal(case)} WITH MAX_USER_CONNECTIONS {wanted};",),
        ),
    )


CHECK = Check(
    name="account-connection-limit",
    title="the account may hold too few connections",
    topic=Topic.ROOM,
    judge=judge,
    needs=(Need.ENGINES,),
    advises=(("max_user_connections", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/user-resources.html",
)
