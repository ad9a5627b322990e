"""From entries to the lives of a server: when each began, and how it ended."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace

from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import Ending, Life

__all__ = ["LIVES", "Lives"]

LIVES = 1000
"""How many lives are kept."""

_EVIDENCE = 10
_PID = re.compile(r"(?P<version>\S*) as process (?P<pid>\d{1,10})")

# What ends a life, the strongest first. A server that the service manager killed because its shutdown took too long
# did not finish its shutdown: that is what to tell.
_ENDINGS = (
    (Kind.SHUTDOWN_DONE, Ending.CLEAN),
    (Kind.OOM_KILL, Ending.OOM),
    (Kind.HANG, Ending.HANG),
    (Kind.CRASH, Ending.CRASH),
    (Kind.SHUTDOWN_BEGUN, Ending.UNFINISHED_SHUTDOWN),
    (Kind.KILLED, Ending.KILLED),
)
_TELLING = {kind for kind, _ in _ENDINGS}


@dataclass(slots=True)
class _Open:
    start: Entry | None = None
    ready: Entry | None = None
    telling: dict[Kind, Entry] = field(default_factory=dict)
    last: Entry | None = None
    evidence: list[Entry] = field(default_factory=list)


class Lives:
    """Takes the entries of `LIFECYCLE` in the order of the log.

    Attributes:
        dropped: lives that were ended before those that are kept.
    """

    def __init__(self) -> None:
        self._ended: deque[Life] = deque(maxlen=LIVES)
        self._open: _Open | None = None
        self.dropped = 0

    @property
    def begun(self) -> bool:
        """Whether a life is open: lines belong to it."""
        return self._open is not None

    def alive(self) -> None:
        """A line says that a server is there; where none is known to have started, the log begins in its life."""
        if self._open is None:
            self._open = _Open()

    def take(self, entry: Entry) -> None:
        """The next entry of the log that tells of the beginning or the end of a life."""
        if entry.kind is Kind.START:
            self._end(restart=entry)
            self._open = _Open(start=entry)
        elif entry.kind is Kind.CRASH_RECOVERY:
            self._recovered(entry)
        else:
            self.alive()
            assert self._open is not None  # noqa: S101 - for the type checker
            self._add(self._open, entry)

    def result(self) -> tuple[Life, ...]:
        """All lives that are kept, the last one as it stands at the end of the log."""
        self._end(restart=None)
        return tuple(self._ended)

    def _add(self, life: _Open, entry: Entry) -> None:
        if entry.kind is Kind.READY:
            life.ready = life.ready or entry
        elif entry.kind in _TELLING:
            life.telling.setdefault(entry.kind, entry)
            life.last = entry
            if len(life.evidence) < _EVIDENCE:
                life.evidence.append(entry)

    def _recovered(self, entry: Entry) -> None:
        """The next life's word on how the one before ended: it joins that one's evidence."""
        if self._open is None or self._open.start is None or not self._ended:
            self.alive()
            return
        before = self._ended[-1]
        if before.ending is not Ending.CLEAN and len(before.evidence) < _EVIDENCE:
            self._ended[-1] = _with(before, entry)

    def _end(self, restart: Entry | None) -> None:
        life, self._open = self._open, None
        if life is None:
            return
        self.dropped += len(self._ended) == LIVES
        self._ended.append(_judged(life, restart))


def _judged(life: _Open, restart: Entry | None) -> Life:
    ending = next((ending for kind, ending in _ENDINGS if kind in life.telling), None)
    evidence = life.evidence
    if ending is None and restart is not None:
        ending, evidence = Ending.KILLED, [restart]
    last = life.telling.get(Kind.SHUTDOWN_DONE) or life.last
    start = life.start
    named = _PID.match(start.reason) if start else None
    return Life(
        ending=ending or Ending.RUNNING,
        started=start.at if start else None,
        ready=life.ready.at if life.ready else None,
        ended=last.at if last else None,
        start_line=start.line if start else 0,
        end_line=last.line if last else 0,
        version=(named["version"] if named else "") or (life.ready.reason if life.ready else ""),
        pid=int(named["pid"]) if named else 0,
        signal=next((entry.signal for entry in life.telling.values() if entry.signal), 0),
        evidence=tuple(evidence),
    )


def _with(life: Life, entry: Entry) -> Life:
    return replace(life, evidence=(*life.evidence, entry))
