"""What ``explain`` answers: losses with the same explanation as one case, a timeline, and what the logs hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from stillhere.causes.engine import Explanation
from stillhere.causes.observations import Observations
from stillhere.errorlog.summary import Count, Summary
from stillhere.survey.snapshot import Snapshot

__all__ = ["Answer", "Case", "LogView", "Look", "Mark", "Moment", "Origin"]


class Origin(Enum):
    """Who tells of a case."""

    REPORT = "report"
    """A traceback or an error report of the application's."""
    LOG = "log"
    """A server's log by itself; no application's report was given."""
    SERVER = "server"
    """The server that was looked at does not let anybody in."""


class Mark(Enum):
    """What a moment on the timeline is."""

    LOSS = "loss"
    START = "start"
    STOP = "shutdown"
    CRASH = "crash"
    OOM = "out-of-memory kill"
    HANG = "hang"
    ABORTS = "aborted connections"
    REFUSED = "refused connections"
    CHANGE = "change"
    """Read-only switched, roles or a cluster's state changed."""
    LOOK = "look"
    """When the live server was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the live server, or the failure to take it.

    Attributes:
        address: without credentials.
        at: when, by this machine's clock.
        snapshot: what it showed; ``None`` where nobody could log in.
        driver: the package that logged in.
        code: the error's number where nobody could log in; ``None`` where it had none.
        error: its text, masked; empty where the look was taken.
        log: the server's own error log, where it can be read by a query (MySQL 8.0.22 and later).
    """

    address: str
    at: datetime
    snapshot: Snapshot | None = None
    driver: str = ""
    code: int | None = None
    error: str = ""
    log: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """One server's log.

    Attributes:
        name: the file's name, as it was given.
        summary: what it says.
        window: from when to when the summary has every entry; ``None`` where that was not asked for.
    """

    name: str
    summary: Summary
    window: tuple[datetime, datetime] | None = None

    def covers(self, at: datetime) -> bool:
        """Whether it has lines from before and after that time, and every entry between, so that silence counts."""
        first, last = self.summary.first, self.summary.last
        if first is None or last is None or not first <= at <= last:
            return False
        return not self.summary.omitted or (self.window is not None and self.window[0] <= at <= self.window[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One loss, or several that have the same explanation.

    Attributes:
        origin: who tells of it.
        subject: what happened, in one clause, such as ``"OperationalError 2006 (mysqlclient) at app.py:41 in match"``.
        explanation: why; that of the surest of them, and among these of the latest.
        seen: what that explanation rests on.
        source: the input's name.
        line: where in the input it starts; 0 where it has no line.
        count: how many losses.
        examined: how many of them were explained one by one; the others look alike in everything but their time.
        first: the time of the first; ``None`` where none has a time.
        last: the time of the last.
        places: what was lost, to how often, most frequent first.
    """

    origin: Origin
    subject: str
    explanation: Explanation
    seen: Observations
    source: str = ""
    line: int = 0
    count: int = 1
    examined: int = 1
    first: datetime | None = None
    last: datetime | None = None
    places: tuple[Count, ...] = ()

    @property
    def named(self) -> bool:
        """Whether there is one cause that is good enough to be called so."""
        return self.explanation.named is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing on the timeline.

    Attributes:
        at: when it began.
        mark: what it is.
        text: one clause.
        until: when the last of several came; ``None`` for a single one.
        count: how many.
        source: where it was read.
    """

    at: datetime
    mark: Mark
    text: str
    until: datetime | None = None
    count: int = 1
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything that is answered.

    Attributes:
        cases: the main one first: what was lost before the look's own failure, a named one before one that isn't, then
            the most frequent, then the latest.
        timeline: in order of time.
        logs: the servers' logs.
        look: the look at the live server, where one was asked for.
        others: database errors in the reports that ended no connection, such as ``1062``, to how often.
        notes: what the reader should know about how the inputs were read.
    """

    cases: tuple[Case, ...] = ()
    timeline: tuple[Moment, ...] = ()
    logs: tuple[LogView, ...] = ()
    look: Look | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> Case | None:
        """The case that the whole answer speaks for; ``None`` where nothing was lost."""
        return self.cases[0] if self.cases else None

    @property
    def losses(self) -> int:
        """How many losses there are in all cases."""
        return sum(case.count for case in self.cases)
