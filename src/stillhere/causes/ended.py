"""The causes that are a way in which the server's life ended, told apart by the logs."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from stillhere.causes.deaths import Death, concerned_by_an_end, death, weigh_death
from stillhere.causes.observations import Observations
from stillhere.causes.reading import Reading
from stillhere.causes.remedies import ASK_LOG
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.summary import Ending
from stillhere.findings import Remedy

__all__ = ["EndingRule"]


class EndingRule(Rule):
    """One way in which a server's life ends.

    Attributes:
        ending: which.
    """

    ending: ClassVar[Ending]

    def judge(self, seen: Observations) -> Attribution | None:
        """By how the life ended that the lost connection belonged to."""
        reading, weighing = Reading(seen), Weighing(self)
        if reading.told and not concerned_by_an_end(reading):
            return None
        end = death(reading)
        best = None if end is None else self.weigh(reading, end, weighing)
        if end is None or best is None:
            return None
        restart = reading.restart
        weighing.pro(restart.fact, restart.source, when=bool(restart.happened))
        weighing.con(restart.fact, restart.source, when=restart.happened is False)
        if not end.exact or restart.happened is False:
            best = Certainty.POSSIBLE
        return weighing.answer(best, self.sentence(end), self.remedy(), (ASK_LOG, *self.settle()))

    def weigh(self, reading: Reading, end: Death, weighing: Weighing) -> Certainty | None:  # noqa: ARG002 - overridden
        """How sure the ending leaves this cause, and its evidence; ``None`` where it is another's."""
        if end.ending is not self.ending:
            return None
        weigh_death(weighing, end)
        return Certainty.PROVED

    @abstractmethod
    def sentence(self, end: Death) -> str:
        """What happened, in one clause."""

    @abstractmethod
    def remedy(self) -> Remedy:
        """What to change."""

    def settle(self) -> tuple[str, ...]:
        """What would settle it besides the log."""
        return ()
