"""What a rule is, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from stillhere.causes.observations import Observations
from stillhere.findings import Evidence, Remedy

__all__ = ["Attribution", "Certainty", "Rule"]


class Certainty(Enum):
    """How sure a rule is. The number is what JSON calls ``confidence``; its order is that of the ranking."""

    PROVED = 0.95
    """The server, the kernel or the driver said so itself, and no other cause leaves that trace."""
    LIKELY = 0.75
    """The measurements fit it, and what would speak against it was looked for and is not there."""
    POSSIBLE = 0.4
    """It can leave what was seen, and so can others."""
    UNLIKELY = 0.1
    """It can leave what was seen, and something measured speaks against it. Shown so that nobody looks there first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A rule's answer.

    Attributes:
        cause: name of the rule.
        certainty: how sure.
        sentence: what happened, in one clause with its measured numbers and without a full stop, such as ``"idle 612 s
            on a connection whose wait_timeout is 600 s"``.
        evidence: the measured facts, those for it first; never empty.
        remedy: what to change, with the exact setting or code.
        settle: what would settle it, where it is not proved: commands, files or settings.
    """

    cause: str
    certainty: Certainty
    sentence: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    settle: tuple[str, ...] = ()


class Rule(ABC):
    """One cause of the catalogue.

    Attributes:
        name: registry name, in snake case.
        title: what a report calls it, six words at the most.
        number: its row in the catalogue.
        is_loss: whether it ends connections; otherwise the answer says that the connection lives.
        refines: more general causes that hold whenever this one does, such as a crash where the kernel's memory killer
            struck: they agree with it and don't compete.
        reference: a manual's section.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    number: ClassVar[int]
    is_loss: ClassVar[bool] = True
    refines: ClassVar[tuple[str, ...]] = ()
    reference: ClassVar[str]

    @abstractmethod
    def judge(self, seen: Observations) -> Attribution | None:
        """An answer, or ``None`` where nothing that was observed speaks for this cause. Pure."""
