"""What a rule answers: a change with its reasons, a note, or what it could not judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stillhere.findings import Evidence, Finding, Remedy, Severity
from stillhere.tune.knobs import KNOBS, Unit
from stillhere.tune.measured import Measured

__all__ = ["Answer", "Change", "Gap", "Rule", "change", "note", "shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting that should have another value.

    Attributes:
        name: the variable.
        before: its global value now, as the server writes it.
        after: the value that it should have: a number, ``ON`` or ``OFF``.
        finding: why; its evidence is never empty.
    """

    name: str
    before: str
    after: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A setting that could not be judged, and why."""

    name: str
    reason: str


Answer = Change | Finding | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One setting's judge.

    Attributes:
        name: the setting.
        judge: yields changes, notes (findings without a change) and gaps; nothing where nothing was measured.
    """

    name: str
    judge: Callable[[Measured], Iterable[Answer]]


def change(
    measured: Measured,
    name: str,
    value: int | str,
    *,
    message: str,
    why: str,
    evidence: Iterable[Evidence],
    cost: str,
    severity: Severity = Severity.WARNING,
    advice: str = "",
) -> Change:
    """A change of one setting.

    Raises:
        ValueError: there is no evidence for it.
    """
    found = (*evidence, measured.setting(name))
    if len(found) == 1:
        raise ValueError(f"a change of {name} without a measurement")
    before = measured.snapshot.variables[name]
    text = f"Set {name} to {shown(name, value)}. {advice}".strip()
    return Change(
        name=name,
        before=before,
        after=str(value),
        finding=Finding(
            rule=f"tune-{name.replace('_', '-')}",
            severity=severity,
            message=message,
            why=why,
            evidence=found,
            remedy=Remedy(text, cost=cost),
            subject=measured.snapshot.address,
        ),
    )


def note(
    measured: Measured,
    name: str,
    *,
    message: str,
    why: str,
    evidence: Iterable[Evidence],
    remedy: str,
    severity: Severity = Severity.INFO,
) -> Finding:
    """A finding that no setting of the server's mends."""
    return Finding(
        rule=f"tune-{name.replace('_', '-')}",
        severity=severity,
        message=message,
        why=why,
        evidence=tuple(evidence),
        remedy=Remedy(remedy),
        subject=measured.snapshot.address,
    )


def shown(name: str, value: int | str) -> str:
    """A value with its unit, as a person reads it."""
    unit = KNOBS.get(name).unit if name in KNOBS.names() else Unit.COUNT
    text = str(value)
    if unit is Unit.BYTES and text.isdecimal():
        return size(int(text))
    return f"{text} s" if unit is Unit.SECONDS else text


def size(number: float) -> str:
    """Bytes in the largest unit that keeps them readable."""
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004 - binary units
            return f"{number:.4g} {unit}"
        number /= 1024
    return f"{number:.4g} GiB"
