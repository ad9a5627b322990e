"""Statements take longer than a connection may be silent on the way.

## What it does

Compares the longest runs with the idle limit that was told (``--hop-idle``) or measured (``--measure-idle``).

## Why it is bad

While a statement runs, nothing moves on the wire. A load balancer or NAT gateway takes that for idleness and drops the
connection: the answer never arrives, and whether a write took effect isn't known.

## Known limits

Needs performance_schema, and an idle limit that is known.

## Use instead

TCP keepalive below the limit, or shorter statements.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import duration, plural
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic
from stillhere.doctor.idling import End
from stillhere.findings import Evidence, Remedy, Severity


def judge(case: Case) -> Iterator[Claim]:
    """One claim about the longest."""
    limits = []
    if case.settings.hop_idle is not None:
        limits.append((case.settings.hop_idle, "--hop-idle"))
    if case.idle is not None and case.idle.ended is not None and case.idle.how is End.SILENCE:
        limits.append((case.idle.ended, "--measure-idle"))
    if not limits or not case.digests:
        return
    limit, source = min(limits)
    over = [one for one in case.digests if one.longest >= limit]
    if not over:
        return
    worst = max(over, key=lambda one: one.longest)
    yield Claim(
        severity=Severity.WARNING,
        message=f"{plural(len(over), 'statement')} took longer than the {duration(limit)} of silence that the way "
        f"allows, one {worst.longest:.0f} s",
        why="Nothing moves on the wire while a statement runs, so the hop drops its connection: the answer never "
        "arrives.",
        evidence=(
            Evidence(f"{worst.longest:.1f} s: {worst.text[:120]}", "events_statements_summary_by_digest"),
            Evidence(f"idle limit {limit:.0f} s", source),
        ),
        remedy=Remedy(
            "Send TCP keepalives below the limit on the client's machine, where the hop heeds them.",
            (f"sysctl -w net.ipv4.tcp_keepalive_time={max(1, int(limit / 2))}",),
        ),
    )


CHECK = Check(
    name="statements-outlast-hop",
    title="statements outlast the way's idle limit",
    topic=Topic.STATEMENTS,
    judge=judge,
    needs=(Need.DIGESTS,),
    reference="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html",
)
