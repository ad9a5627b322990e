"""How old what a log tells is, and what that means for its weight."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from stillhere.doctor.case import Case
from stillhere.errorlog.summary import Ending, Life
from stillhere.findings import Evidence, Severity

__all__ = ["end_of", "endings", "evidence_of", "place", "weight", "when"]

_WEEK, _MONTH = 7, 30


def endings(case: Case, *kinds: Ending) -> tuple[Life, ...]:
    """The lives in the log that ended so, oldest first."""
    return tuple(life for life in case.log.lives if life.ending in kinds) if case.log is not None else ()


def weight(case: Case, at: datetime | None, most: Severity) -> Severity:
    """How much it matters by its age: fully within a week, a warning within a month or of unknown age, then a note."""
    days = (case.snapshot.taken_at - at).days if at is not None else _MONTH
    if days <= _WEEK:
        return most
    return min(most, Severity.WARNING) if days <= _MONTH else Severity.INFO


def end_of(case: Case, life: Life) -> tuple[datetime | None, str]:
    """When a life ended, with words for it; where its end left no line, it was over before the next one began."""
    if life.ended is not None:
        return life.ended, f"at {when(life.ended)}"
    lives = case.log.lives if case.log is not None else ()
    later = lives[lives.index(life) + 1 :]
    begun = later[0].started if later else None
    return begun, f"before {when(begun)}" if begun is not None else f"at {when(None)}"


def when(at: datetime | None) -> str:
    """A moment for people."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else "a time that the log doesn't tell"


def evidence_of(lives: Iterable[Life]) -> tuple[Evidence, ...]:
    """The lines that the last of the lives rests its ending on."""
    last = list(lives)[-1]
    entries = last.evidence[:3]
    lines = tuple(Evidence(entry.text[:160], place(entry.line)) for entry in entries if entry.text)
    return lines or (Evidence(f"{last.ending.value} at {when(last.ended)}", place(last.end_line)),)


def place(line: int) -> str:
    """Where in the log; a table's rows have no line."""
    return f"error log, line {line}" if line else "error log"
