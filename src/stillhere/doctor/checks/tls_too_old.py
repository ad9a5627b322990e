"""The server speaks no version of TLS that current clients accept.

## What it does

Looks whether ``tls_version`` has TLS 1.2 or 1.3.

## Why it is bad

Current TLS libraries refuse 1.0 and 1.1: after an update of the client's system it can't connect any more (2026).

## Known limits

Silent where the server offers no TLS at all.

## Use instead

TLS 1.2 and 1.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import option_lines, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it has neither."""
    offered = case.snapshot.variables.get("tls_version", "")
    if not offered or case.snapshot.variables.get("have_ssl", "YES") != "YES":
        return
    if {"TLSv1.2", "TLSv1.3"} & {one.strip() for one in offered.split(",")}:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"the server offers only {offered}, which current clients refuse",
        why="After the next update of the clients' TLS library they can't connect any more (2026).",
        evidence=(variable(case, "tls_version"),),
        remedy=Remedy("Offer TLS 1.2 and 1.3.", (option_lines("tls_version", "TLSv1.2,TLSv1.3"),), cost="a restart"),
    )


CHECK = Check(
    name="tls-too-old",
    title="the server's TLS is too old",
    topic=Topic.HOSTS,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/encrypted-connection-protocols-ciphers.html",
)
