"""Statements take longer than the client waits for.

## What it does

Compares the longest runs of each shape of statement with the engine's ``read_timeout``.

## Why it is bad

The client hangs up and reports 2013 *timed out*, as if the server were gone, while the server works on.

## Known limits

Needs performance_schema. Which of several engines ran the statement isn't known; its database must fit.

## Use instead

A longer ``read_timeout``, or a faster statement.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import plural
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim for each engine, about the longest."""
    for engine in case.engines:
        limit = engine.read_timeout
        if not limit:
            continue
        over = [one for one in case.digests if one.longest >= limit and one.schema in ("", engine.database)]
        if not over:
            continue
        worst = max(over, key=lambda one: one.longest)
        yield Claim(
            severity=Severity.WARNING,
            message=f"{engine.name} waits {limit:.0f} s for an answer; {plural(len(over), 'statement')} took longer, "
            f"one {worst.longest:.0f} s",
            why="The client then hangs up and reports 2013 as if the server were gone, while the server works on.",
            evidence=(
                Evidence(f"{worst.longest:.1f} s: {worst.text[:120]}", "events_statements_summary_by_digest"),
                Evidence(f"read_timeout {limit:.0f} s", f"engine {engine.name}"),
            ),
            remedy=Remedy(
                "Make it faster, or wait longer for it.",
                (f'create_engine(url, connect_args={{"read_timeout": {int(worst.longest * 2) + 1}}})',),
            ),
            subject=engine.name,
        )


CHECK = Check(
    name="statements-outlast-client",
    title="statements outlast the client's read timeout",
    topic=Topic.STATEMENTS,
    judge=judge,
    needs=(Need.ENGINES, Need.DIGESTS),
    advises=(("read_timeout", Turn.UP),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/performance-schema-statement-summary-tables.html",
)
