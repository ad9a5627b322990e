"""The client waits without limit for a connection.

## What it does

Notes engines whose driver has no limit for connecting.

## Why it is bad

When the server's machine vanishes, each attempt hangs until the operating system gives up, two minutes and more. All
threads of the application hang with it.

## Known limits

A note only. PyMySQL has a limit of 10 s by itself.

## Use instead

``connect_timeout`` in the URL.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One note for each."""
    for engine in case.engines:
        if engine.connect_timeout != 0:
            continue
        yield Claim(
            severity=Severity.INFO,
            message=f"{engine.name} waits without limit for a connection",
            why="When the server's machine vanishes, every thread that wants a connection hangs for minutes.",
            evidence=(Evidence("no connect_timeout is passed to the driver", f"engine {engine.name}"),),
            remedy=Remedy("Name one in its URL.", ("?connect_timeout=5",)),
            subject=engine.name,
        )


CHECK = Check(
    name="connect-timeout-absent",
    title="the client waits without limit to connect",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://mysqlclient.readthedocs.io/user_guide.html",
)
