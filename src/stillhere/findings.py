"""What doctor, lint, maintain and the causes report: a claim, what was measured, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Evidence", "Finding", "Location", "Remedy", "Severity", "worst"]


class Severity(IntEnum):
    """How much a finding matters. They compare: ``Severity.ERROR > Severity.WARNING``."""

    INFO = 1
    """Worth knowing; nothing is wrong."""
    WARNING = 2
    """Will cut a connection, or hide that one was cut, under conditions that are likely to come."""
    ERROR = 3
    """Cuts connections, loses or doubles work, or keeps clients out, now or at the next ordinary event."""

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A measured fact for or against a claim.

    Attributes:
        fact: one clause with the measured number and its unit, such as ``"idle 612 s, wait_timeout 600 s"``. Never a
            password: whoever makes it masks it.
        source: where it was read, such as ``"SHOW GLOBAL VARIABLES"``, ``"error log, line 214"``, ``"exception"``.
        supports: whether it speaks for the claim; false where it speaks against it.
    """

    fact: str
    source: str
    supports: bool = True


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do.

    Attributes:
        text: one or two sentences that a person can act on.
        commands: statements, option-file lines, shell commands or code, ready to be pasted; may be empty.
        cost: what it costs or risks, where it does.
    """

    text: str
    commands: tuple[str, ...] = ()
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file. ``line`` and ``column`` count from 1; a column of 0 is unknown."""

    path: str
    line: int
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        rule: id of the check or rule, such as ``"SH103"`` or ``"wait-timeout-short"``.
        severity: how much it matters.
        message: one sentence: what was found, with its numbers.
        why: why it matters here, in one or two sentences.
        evidence: what it rests on; never empty for a finding about a live server.
        remedy: what to do; ``None`` where there is nothing to do.
        reference: a manual's section or a page of the documentation.
        subject: what it is about: a server's address, a table, an account; empty where `location` says it.
        location: the place in a file, where it has one.
    """

    rule: str
    severity: Severity
    message: str
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    reference: str = ""
    subject: str = ""
    location: Location | None = None


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity among them; ``None`` where there are none."""
    return max((finding.severity for finding in findings), default=None)
