"""The causes that a server or a client library names by a number of its own."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from stillhere.causes.observations import Observations
from stillhere.causes.reading import EXCEPTION, Reading
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import source_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["CodedRule"]


_UNREACHED = {"CR_CONN_HOST_ERROR", "CR_SERVER_LOST", "CR_CONNECTION_ERROR"}


class CodedRule(Rule):
    """A cause with an error number, or with a kind of log line, that nothing else has.

    A client that was told one of `symbols` has its proof. Lines of `kinds` prove it where the log itself is the
    question; beside a client that failed to connect at that moment, without a number that says more, they make it
    likely, since they name no client.

    Attributes:
        symbols: the numbers' names in `stillhere.server.errorcodes`.
        kinds: the log's lines.
        hinders_connecting: whether a client that can't connect may see nothing but 2002, 2003 or 2013 for it.
    """

    symbols: ClassVar[tuple[str, ...]] = ()
    kinds: ClassVar[tuple[Kind, ...]] = ()
    hinders_connecting: ClassVar[bool] = False

    def judge(self, seen: Observations) -> Attribution | None:
        """By the number, else by the log's lines around the moment, else by what `weigh` finds."""
        reading, weighing = Reading(seen), Weighing(self)
        code = reading.met(*self.symbols) if self.applies(reading) else ""
        if not code and not self.concerns(reading):
            return None
        weighing.pro(f"error {code}", EXCEPTION, when=bool(code))
        lines = reading.lines(*self.kinds)
        if lines:
            weighing.pro(f"the log has {lines[0].kind.value} {reading.counted(lines)}", source_of(lines[0]))
        self.weigh(reading, weighing)
        if code or (lines and not reading.told):
            best = Certainty.PROVED
        else:
            window = reading.window
            placed = window is not None and window.exact and self.hinders_connecting and reading.connecting
            best = Certainty.LIKELY if lines and placed else Certainty.POSSIBLE
        return weighing.answer(best, self.sentence(reading), self.remedy(reading), self.settle(reading))

    def applies(self, reading: Reading) -> bool:  # noqa: ARG002 - for those that override it
        """Whether the number means this cause here; true unless a rule knows better."""
        return True

    def concerns(self, reading: Reading) -> bool:
        """Whether log lines without a client's number are worth looking at: a log alone, or a failed connect."""
        if not reading.told:
            return True
        return self.hinders_connecting and reading.connecting and reading.symbols <= _UNREACHED

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """Add what else was measured for or against it."""

    @abstractmethod
    def sentence(self, reading: Reading) -> str:
        """What happened, in one clause."""

    @abstractmethod
    def remedy(self, reading: Reading) -> Remedy:
        """What to change."""

    def settle(self, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002 - for those that override it
        """What would settle it where no number was seen."""
        return ("the exception's own number, or the error log around the moment of the loss",)
