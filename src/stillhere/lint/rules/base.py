"""What a rule is: one mistake, found in one module at a time."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from stillhere.findings import Severity
from stillhere.lint.project import Module

__all__ = ["Edit", "Options", "Problem", "Rule"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of a piece of the text, by offsets in characters; nothing else is touched."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Options:
    """What the project says about its surroundings.

    Attributes:
        idle_limit: after how many seconds of idleness the server, or a hop before it, closes a connection. 28800 is
            the default of ``wait_timeout`` of MySQL and MariaDB.
        packet_limit: the server's ``max_allowed_packet`` in bytes. 64 MiB is MySQL's default; MariaDB's is 16 MiB.
    """

    idle_limit: float = 28800.0
    packet_limit: int = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a rule fires.

    Attributes:
        node: where.
        message: one sentence, without a full stop.
        remedy: one sentence: what to do here; empty where the rule's own says it.
        edits: what mends it and changes nothing else; empty where only a person can.
        suggestion: code that may mend it, to be judged by a person.
    """

    node: ast.AST
    message: str
    remedy: str = ""
    edits: tuple[Edit, ...] = ()
    suggestion: tuple[str, ...] = field(default=())


class Rule(ABC):
    """One mistake. The docstring, under its fixed headings, is the page about it.

    Attributes:
        id: ``SH`` and three digits; the first names the group.
        name: the problem, in kebab-case.
        severity: of its findings.
        since: the version of stillhere that brought it.
        fixable: whether ``--fix`` can mend some of its findings.
        remedy: what to do, in one sentence.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.WARNING
    since: ClassVar[str] = "0.1.0"
    fixable: ClassVar[bool] = False
    remedy: ClassVar[str]

    @abstractmethod
    def check(self, module: Module, options: Options) -> Iterator[Problem]:
        """Every place in a module where the mistake is made."""
