"""Ranks what the rules answer. Two answers of the same rank are no name: "unknown" is an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillhere.causes.observations import Observations
from stillhere.causes.rule import Attribution, Certainty, Rule

__all__ = ["UNKNOWN", "Explanation", "explain"]

UNKNOWN = "unknown"
"""The name of no cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why, as far as it can be known.

    Attributes:
        causes: every answer, best first.
        named: the one that is good enough to be called the cause: at least `Certainty.LIKELY`, and alone at its rank.
        collect: what to collect next where none is; the same thing once, most telling first.
    """

    causes: tuple[Attribution, ...] = ()
    named: Attribution | None = None
    collect: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The name of the cause; `UNKNOWN` where none could be named."""
        return self.named.cause if self.named is not None else UNKNOWN


def explain(seen: Observations, rules: Iterable[Rule]) -> Explanation:
    """Ask every rule and rank the answers.

    Args:
        seen: what is known of one loss.
        rules: those to ask.
    """
    rules = tuple(rules)
    answers = [answer for rule in rules if (answer := rule.judge(seen)) is not None]
    general = _generalised(answers, rules)
    rows = {rule.name: rule.number for rule in rules}
    ranked = sorted(
        answers,
        key=lambda one: (-one.certainty.value, one.cause in general, -_balance(one), rows.get(one.cause, 0)),
    )
    named = _name(ranked, general)
    collect = () if named is not None and named.certainty is Certainty.PROVED else _collect(ranked)
    return Explanation(causes=tuple(ranked), named=named, collect=collect)


def _generalised(answers: list[Attribution], rules: tuple[Rule, ...]) -> set[str]:
    """The causes that another answer, at least as sure, tells more exactly: they agree with it, and don't compete.

    A guess tells nothing more exactly: it leaves the order of the guesses to their evidence.
    """
    sure = {answer.cause: answer.certainty.value for answer in answers}
    return {
        general
        for rule in rules
        if sure.get(rule.name, 0.0) >= Certainty.LIKELY.value
        for general in rule.refines
        if general in sure and sure[general] <= sure[rule.name]
    }


def _name(ranked: list[Attribution], general: set[str]) -> Attribution | None:
    if not ranked or ranked[0].certainty.value < Certainty.LIKELY.value:
        return None
    best = ranked[0]
    rivals = [
        answer
        for answer in ranked[1:]
        if answer.certainty.value >= best.certainty.value and answer.cause not in general
    ]
    return None if rivals else best


def _balance(answer: Attribution) -> int:
    return sum(1 if fact.supports else -1 for fact in answer.evidence)


def _collect(ranked: list[Attribution]) -> tuple[str, ...]:
    """Of those that are worth looking into; of the unlikely ones only where there are no others."""
    likely = [answer for answer in ranked if answer.certainty is not Certainty.UNLIKELY]
    return tuple(dict.fromkeys(step for answer in likely or ranked for step in answer.settle))
