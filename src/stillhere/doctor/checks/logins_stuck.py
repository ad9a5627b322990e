"""Connections hang before they have logged in.

## What it does

Looks for sessions of the *unauthenticated user* that are older than half of ``connect_timeout``, or ten of them.

## Why it is bad

Each holds a place of ``max_connections``. They are clients whose TLS or network stalls, a name server that doesn't
answer, or port checks that keep the connection open.

## Known limits

Sessions of others are only seen with PROCESS.

## Use instead

Find the hosts named in the evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stillhere.doctor.advice import plural, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity

MANY = 10


def judge(case: Case) -> Iterator[Claim]:
    """One claim where there are old ones or many."""
    limit = case.number("connect_timeout") or 10.0
    waiting = [one for one in case.snapshot.sessions or () if one.user == "unauthenticated user"]
    old = [one for one in waiting if one.seconds >= limit / 2]
    if not old and len(waiting) < MANY:
        return
    hosts = Counter(one.host or "?" for one in waiting).most_common(3)
    yield Claim(
        severity=Severity.WARNING,
        message=f"not logged in yet: {plural(len(waiting), 'connection')}, {len(old)} of them for more than "
        f"{limit / 2:.0f} s",
        why=f"Each holds a place of max_connections ({case.snapshot.variables.get('max_connections', '?')}) until "
        f"connect_timeout ({limit:.0f} s) is over.",
        evidence=(
            Evidence(", ".join(f"{count} from {host}" for host, count in hosts), "SHOW PROCESSLIST"),
            variable(case, "connect_timeout"),
        ),
        remedy=Remedy("See what runs on those hosts: a port check, a stalled TLS handshake, a client that froze."),
    )


CHECK = Check(
    name="logins-stuck",
    title="connections hang before they log in",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.SESSIONS,),
    reference="https://dev.mysql.com/doc/refman/8.4/en/thread-commands.html",
)
