"""Evidence for and against one cause, and how sure that leaves it."""

from __future__ import annotations

from typing import Self

from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.findings import Evidence, Remedy

__all__ = ["Weighing"]


class Weighing:
    """Collects a rule's evidence and makes its answer.

    Args:
        rule: whose answer it will be.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._pro: list[Evidence] = []
        self._con: list[Evidence] = []
        self._strong = False

    def pro(self, fact: str, source: str, *, when: bool = True) -> Self:
        """A measured fact for the cause; left out unless ``when``."""
        if when:
            self._pro.append(Evidence(fact, source))
        return self

    def con(self, fact: str, source: str, *, when: bool = True, weak: bool = False) -> Self:
        """A measured fact against it. A weak one leaves it possible, any other makes it unlikely."""
        if when:
            self._con.append(Evidence(fact, source, supports=False))
            self._strong = self._strong or not weak
        return self

    @property
    def supported(self) -> bool:
        """Whether anything speaks for the cause."""
        return bool(self._pro)

    @property
    def doubted(self) -> bool:
        """Whether anything speaks against it."""
        return bool(self._con)

    def answer(
        self, best: Certainty, sentence: str, remedy: Remedy, settle: tuple[str, ...] = ()
    ) -> Attribution | None:
        """The answer; ``None`` where nothing speaks for the cause.

        Args:
            best: how sure it is where nothing speaks against it. A proof stands against measurements.
            sentence: what happened.
            remedy: what to change.
            settle: what would settle it; left out where it is proved.
        """
        if not self._pro:
            return None
        certainty = self._weighed(best)
        return Attribution(
            cause=self._rule.name,
            certainty=certainty,
            sentence=sentence,
            evidence=(*self._pro, *self._con),
            remedy=remedy,
            settle=() if certainty is Certainty.PROVED else settle,
        )

    def _weighed(self, best: Certainty) -> Certainty:
        if best is Certainty.PROVED or not self._con:
            return best
        if self._strong:
            return Certainty.UNLIKELY
        return Certainty.POSSIBLE if best is Certainty.LIKELY else best
