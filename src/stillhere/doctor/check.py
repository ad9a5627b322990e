"""What a check is: a pure function over a case, with what it needs and what it may advise."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from stillhere.doctor.case import Case, Need
from stillhere.findings import Evidence, Finding, Remedy, Severity

__all__ = ["Advice", "Check", "Claim", "Topic", "Turn"]


class Topic(Enum):
    """What a check is about; the order is that of the reference."""

    IDLE = "Idle connections and timeouts"
    PACKETS = "Packets"
    ROOM = "Room for connections"
    HOSTS = "Hosts and logins"
    HOLDERS = "Who holds connections"
    LOSSES = "Losses so far"
    STATEMENTS = "Long statements"
    POOL = "The application's pool"
    ROLE = "The server's role"
    MACHINE = "Machine and settings of the log"
    LOG = "What the error log says"


class Turn(Enum):
    """Which way a setting is to be moved."""

    UP = "raise"
    DOWN = "lower"
    TO = "set"
    """To one value, from whatever it is."""


Advice = tuple[str, Turn]
"""A setting, and the way in which a check may advise to move it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a check answers; a finding but for what is the same for all of the check's answers.

    Attributes:
        severity: how much it matters here.
        message: one sentence: what was found, with its numbers.
        why: why it matters here, with the numbers of this server or application.
        evidence: what it rests on; never empty.
        remedy: what to do.
        subject: what it is about, where that is not the server: an engine, an account, a connection.
    """

    severity: Severity
    message: str
    why: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: id, in kebab-case, after the problem.
        title: the problem in at most eight words.
        topic: where it stands in the reference.
        judge: the pure function. It may rely on everything in `needs`.
        needs: which parts of a case it can't do without; variables and status are always there.
        mysql: the oldest version of MySQL that it can be asked of; ``None`` for never.
        mariadb: the same for MariaDB.
        advises: which settings it may advise to move, and which way. No two findings of one report move the same
            setting in opposite ways.
        reference: where the server's or library's own manual speaks of it.
        since: the release of stillhere that brought it.
    """

    name: str
    title: str
    topic: Topic
    judge: Callable[[Case], Iterable[Claim]]
    reference: str
    needs: tuple[Need, ...] = ()
    mysql: tuple[int, ...] | None = (5, 7)
    mariadb: tuple[int, ...] | None = (10, 3)
    advises: tuple[Advice, ...] = ()
    since: str = "0.2"

    def applies(self, case: Case) -> bool:
        """Whether it has a meaning for this family and version."""
        return case.snapshot.version.at_least(mysql=self.mysql, mariadb=self.mariadb)

    def missing(self, case: Case) -> str:
        """Why it can't be asked, such as ``needs PROCESS``; empty where it can."""
        return next((case.gaps[need.value] for need in self.needs if need.value in case.gaps), "")

    def findings(self, case: Case) -> tuple[Finding, ...]:
        """What it finds. Only for a case to which it applies and that misses nothing."""
        return tuple(
            Finding(
                rule=self.name,
                severity=claim.severity,
                message=claim.message,
                why=claim.why,
                evidence=claim.evidence,
                remedy=claim.remedy,
                reference=self.reference,
                subject=claim.subject or case.snapshot.address,
            )
            for claim in self.judge(case)
        )

    @property
    def description(self) -> str:
        """The docstring of the check's module, which its page in the reference is made from."""
        return inspect.cleandoc(sys.modules[self.judge.__module__].__doc__ or "")
