"""``max_allowed_packet`` is under 4 MiB.

## What it does

Looks at the global ``max_allowed_packet``: 64 MiB by default on MySQL 8, 16 MiB on MariaDB.

## Why it is bad

A statement or a row that is larger ends the connection: 1153, then 2006, or a broken pipe in the middle of sending.

## Known limits

How large the application's statements are is not known here. The limit is for one statement or row, not for several
small ones together.

## Use instead

The server's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, size, variable
from stillhere.doctor.case import Case
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.doctor.limits import roomy_packet
from stillhere.findings import Remedy, Severity

SMALL = 4 * 1024**2


def judge(case: Case) -> Iterator[Claim]:
    """One claim where it is small."""
    limit = case.number("max_allowed_packet")
    if limit is None or limit >= SMALL:
        return
    yield Claim(
        severity=Severity.WARNING,
        message=f"max_allowed_packet is {size(limit)}: a larger statement or row ends its connection",
        why=f"One uploaded image or one multi-row INSERT of more than {size(limit)} is enough.",
        evidence=(variable(case, "max_allowed_packet"),),
        remedy=Remedy(
            "Go back to the server's default; connections that are open keep the old value.",
            set_variable(case, "max_allowed_packet", roomy_packet(case)),
        ),
    )


CHECK = Check(
    name="max-allowed-packet-small",
    title="max_allowed_packet is small",
    topic=Topic.PACKETS,
    judge=judge,
    advises=(("max_allowed_packet", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/packet-too-large.html",
)
