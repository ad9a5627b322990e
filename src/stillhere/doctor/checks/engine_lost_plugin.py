"""The engine has lost stillhere on the way.

## What it does

Looks whether stillhere is active in an engine whose URL, as the doctor was given it, or one of its sisters says so.

## Why it is bad

SQLAlchemy takes ``plugin`` out of ``engine.url`` once it is applied. An engine that is made from another's URL has no
protection, and nothing says so.

## Known limits

It can only tell where a URL with ``plugin=stillhere`` for the same server was shown, or another engine there has it.

## Use instead

The original URL, or ``plugins=["stillhere"]``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each."""
    sisters = [one.name for one in case.engines if one.protected]
    for engine in case.engines:
        if engine.protected or not (engine.meant_protected or sisters):
            continue
        meant = "its URL names plugin=stillhere" if engine.meant_protected else f"{sisters[0]} has it"
        yield Claim(
            severity=Severity.WARNING,
            message=f"stillhere is not active in {engine.name}, though {meant}",
            why="An engine made from another's engine.url has lost the plugin: its connections are lost as if "
            "stillhere were not there.",
            evidence=(
                Evidence("its pool opens connections without stillhere", f"engine {engine.name}"),
                Evidence(meant, "the URL given" if engine.meant_protected else f"engine {sisters[0]}"),
            ),
            remedy=Remedy("Name the plugin where this engine is made.", ('create_engine(url, plugins=["stillhere"])',)),
            subject=engine.name,
        )


CHECK = Check(
    name="engine-lost-plugin",
    title="the engine has lost stillhere",
    topic=Topic.POOL,
    judge=judge,
    needs=(Need.ENGINES,),
    reference="https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.CreateEnginePlugin",
)
