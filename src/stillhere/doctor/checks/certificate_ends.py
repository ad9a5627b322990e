"""The server's TLS certificate is about to end.

## What it does

Reads ``Ssl_server_not_after``; it speaks from thirty days before.

## Why it is bad

From that day on clients that verify the certificate can't connect (2026), while connections that are open go on: it
shows at the next restart or deploy.

## Known limits

Certificates of the way between (proxies, sidecars) aren't seen.

## Use instead

A new certificate, loaded without a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from stillhere.doctor.advice import status
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Remedy, Severity

NOTICE = 30
_FORM = "%b %d %H:%M:%S %Y %Z"  # as OpenSSL prints it, in the C locale


def judge(case: Case) -> Iterator[Claim]:
    """One claim from thirty days before the end on; an error once it is over."""
    try:
        end = datetime.strptime(case.snapshot.status.get("ssl_server_not_after", ""), _FORM).replace(tzinfo=UTC)
    except ValueError:
        return
    left = (end - case.snapshot.taken_at).days
    if left > NOTICE:
        return
    over = end <= case.snapshot.taken_at
    yield Claim(
        severity=Severity.ERROR if over else Severity.WARNING,
        message=f"the server's certificate {'ended' if over else 'ends'} on {end:%Y-%m-%d}"
        f"{'' if over else f', in {left} days'}",
        why="Clients that verify it can't connect from then on (2026); connections that are open go on until they are "
        "replaced.",
        evidence=(status(case, "Ssl_server_not_after"),),
        remedy=Remedy(
            "Put a new certificate in place of the old files, and load it.",
            ("FLUSH SSL;" if case.mariadb else "ALTER INSTANCE RELOAD TLS;",),
        ),
    )


CHECK = Check(
    name="certificate-ends",
    title="the server's certificate is about to end",
    topic=Topic.HOSTS,
    judge=judge,
    reference="https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html#statvar_Ssl_server_not_after",
)
