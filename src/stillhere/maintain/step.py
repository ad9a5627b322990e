"""What a kind of maintenance answers: a step that can be run, advice that can't, or what it could not judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.maintain.inventory import Inventory

__all__ = ["Answer", "Gap", "Kind", "Step", "advice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement that is worth running. It destroys nothing, whatever becomes of it.

    Attributes:
        kind: the kind of maintenance.
        table: what it is about.
        statement: one statement.
        finding: why; its evidence is never empty, and its remedy has the cost.
        work: bytes that it has to read or write; 0 where that isn't known.
    """

    kind: str
    table: str
    statement: str
    finding: Finding
    work: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What could not be judged, and why."""

    kind: str
    reason: str


Answer = Step | Finding | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of maintenance.

    Attributes:
        name: what users type.
        summary: what it looks for, in a few words.
        judge: yields steps, advice and gaps; nothing where nothing is worth doing.
    """

    name: str
    summary: str
    judge: Callable[[Inventory], Iterable[Answer]]


def advice(
    kind: str,
    subject: str,
    *,
    message: str,
    why: str,
    evidence: Iterable[Evidence],
    remedy: str,
    commands: tuple[str, ...] = (),
    cost: str = "",
    severity: Severity = Severity.INFO,
) -> Finding:
    """A finding that a person has to act on; its commands are never run from here."""
    return Finding(
        rule=f"maintain-{kind}",
        severity=severity,
        message=message,
        why=why,
        evidence=tuple(evidence),
        remedy=Remedy(remedy, commands=commands, cost=cost),
        subject=subject,
    )
