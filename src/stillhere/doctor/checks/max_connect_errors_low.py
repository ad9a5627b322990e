"""A host is blocked after a few connection errors.

## What it does

Looks at ``max_connect_errors`` (100 by default), where the server keeps count at all: it resolves names and has a host
cache.

## Why it is bad

A port check or a short network trouble is enough to lock a whole host out until somebody empties the cache.

## Known limits

It is no protection against guessed passwords: those aren't counted.

## Use instead

The default or more.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Remedy, Severity

LOW = 10
DEFAULT = 100


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is low and counts."""
    limit = case.number("max_connect_errors")
    if limit is None or limit >= LOW or case.on("skip_name_resolve") or case.number("host_cache_size") == 0:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"{limit:.0f} broken handshakes in a row block a host for good (max_connect_errors)",
        why=f"A port check every few seconds reaches {limit:.0f} within a minute; then all logins are refused with "
        "1129.",
        evidence=(variable(case, "max_connect_errors", "host_cache_size", "skip_name_resolve"),),
        remedy=Remedy("Go back to the default.", set_variable(case, "max_connect_errors", DEFAULT)),
    )


CHECK = Check(
    name="max-connect-errors-low",
    title="max_connect_errors is low",
    topic=Topic.HOSTS,
    judge=judge,
    advises=(("max_connect_errors", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_connect_errors",
)
