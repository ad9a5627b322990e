"""The server requires TLS, and the application doesn't ask for it.

## What it does

Compares ``require_secure_transport`` with what the engine passes to its driver.

## Why it is bad

Its next connection is refused with 3159; those that were opened before the switch go on, so that it shows at the next
restart or deploy.

## Known limits

PyMySQL alone asks for TLS only when told; drivers that ask by themselves are not judged.

## Use instead

``ssl_ca=…`` in the URL.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine that doesn't."""
    if not case.on("require_secure_transport"):
        return
    for engine in case.engines:
        if engine.tls is not False or engine.address.startswith("/"):
            continue
        yield Claim(
            severity=Severity.ERROR,
            message=f"the server requires TLS, and {engine.name} ({engine.drivername}) doesn't ask for it",
            why="Its next connection is refused with 3159; those opened before go on, so it shows at the next deploy.",
            evidence=(
                variable(case, "require_secure_transport"),
                Evidence("no TLS argument is passed to the driver", f"engine {engine.name}"),
            ),
            remedy=Remedy("Name the authority's certificate in the URL.", ("?ssl_ca=/path/to/ca.pem",)),
            subject=engine.name,
        )


CHECK = Check(
    name="tls-not-asked",
    title="TLS is required, and not asked for",
    topic=Topic.HOSTS,
    judge=judge,
    needs=(Need.ENGINES,),
    mariadb=(10, 5),
    reference="https://dev.mysql.com/doc/refman/8.4/en/using-encrypted-connections.html",
)
