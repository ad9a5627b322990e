"""How the server's life ended at the moment of the loss, as the logs tell.

Five causes share this question and differ in the answer alone: a shutdown in order, a crash, the kernel's memory
killer, InnoDB's own end to a hang, and a shutdown that nobody waited for.

What a collector can ask to answer it, cheapest first: the ``Uptime`` (restarted or not); 1053 as last words or at
another connection of the process (a shutdown in order); ``performance_schema.error_log`` (MySQL 8.0.22 and later: it
keeps the lines of the life before); the log file that ``@@log_error`` names, where it can be read; the binary log's
last event (``Stop`` after a shutdown in order); the kernel's log and the service manager's for the memory killer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stillhere.causes.reading import Reading
from stillhere.causes.timing import Window
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment, source_of, utc
from stillhere.errorlog.entry import LIFECYCLE, Entry, Kind
from stillhere.errorlog.summary import Ending, Life

__all__ = ["Death", "concerned_by_an_end", "death", "no_death", "shortly_before", "timed_out_after", "weigh_death"]

_SLACK = timedelta(seconds=2)
_HOUR = timedelta(hours=1)
_SILENT = timedelta(seconds=60)
"""How long before its next start a server that died without a word can have died: service managers start it at once."""
_UNREACHED = ("CR_CONN_HOST_ERROR", "CR_CONNECTION_ERROR")


@dataclass(frozen=True, slots=True)
class Death:
    """The end of one life of the server.

    Attributes:
        ending: how.
        first: when it began to end; ``None`` where the log has no times.
        last: when it was over, or the next life's start where nothing tells.
        evidence: the entries that it rests on, oldest first.
        next_start: the line that begins the next life, where there is one.
        exact: whether it is known to be the one that ended the lost connection.
    """

    ending: Ending
    first: datetime | None
    last: datetime | None
    evidence: tuple[Entry, ...] = ()
    next_start: Entry | None = None
    exact: bool = True


def death(reading: Reading) -> Death | None:
    """The first end of a life that lies where the connection was lost; ``None`` where the logs show none."""
    seen = reading.seen
    window = reading.window
    since = window.start if window is not None and window.exact and seen.log_covers else None
    ends = _from_lives(seen.lives) if seen.lives else _from_entries(seen.log, since)
    if not ends:
        return None
    if window is None:
        return _only(ends, sure=not reading.told)
    if not window.exact:
        met = next((end for end in reversed(ends) if _coincides(end, window)), None) if reading.unplaced else None
        if met is not None:
            return met
        before = [end for end in ends if end.last is not None and utc(end.last) <= window.end + _SLACK]
        return _with(before[-1], exact=False) if before else None
    touching = [end for end in ends if _touches(end, window)]
    # Clocks differ by a little: the slack admits an end from just before it was last alive, but not in the place of one
    # that lies where it was lost.
    return next((end for end in touching if _lies_in(end, window)), touching[-1] if touching else None)


def concerned_by_an_end(reading: Reading) -> bool:
    """Whether the client's trouble is one that a restart gives, and nothing named another reason."""
    # A server that goes down may still take a connection, and end it before its greeting.
    cut_off = reading.has("CR_SERVER_LOST", "CR_SERVER_GONE_ERROR") and reading.restart.happened is True
    unreached = reading.connecting and (reading.has(*_UNREACHED) or cut_off or not reading.codes)
    named = (
        reading.said_inactive
        or reading.too_large
        or reading.timed_out
        or reading.client.interrupted
        or reading.out_of_step
        or reading.loss.proactive
        or reading.has("ER_NET_PACKET_TOO_LARGE", "CR_NET_PACKET_TOO_LARGE")
        # MariaDB says 1927 to those that a shutdown ends, too.
        or (reading.has("ER_CONNECTION_KILLED") and not reading.restart.happened)
    )
    return (unreached or reading.lossy) and not named


def no_death(reading: Reading) -> bool:
    """Whether the log reaches over the moment and shows that the server lived through it."""
    window = reading.window
    return reading.seen.log_covers and window is not None and window.exact and death(reading) is None


def shortly_before(reading: Reading, end: Death) -> bool:
    """Whether a life ended within the hour before the loss, of a connection that may have been as old."""
    window = reading.window
    return window is not None and end.last is not None and timedelta() <= window.end - utc(end.last) <= _HOUR


def timed_out_after(reading: Reading, end: Death) -> bool:
    """Whether the log has connections that timed out after that end of a life: there were new ones by then."""
    lines = reading.timed_out_lines
    last = lines[-1].at if lines else None
    return last is not None and end.last is not None and utc(last) >= utc(end.last)


def weigh_death(weighing: Weighing, end: Death) -> Weighing:
    """Put the lines that an ending rests on into evidence."""
    for entry in end.evidence[:3]:
        at = f" at {moment(entry.at)}" if entry.at else ""
        weighing.pro(f"the log has {entry.kind.value}{at}", source_of(entry))
    if end.next_start is not None and end.next_start.at is not None:
        weighing.pro(f"the next life began at {moment(end.next_start.at)}", source_of(end.next_start))
    return weighing


def _touches(end: Death, window: Window) -> bool:
    if end.next_start is not None and end.next_start.at is not None and utc(end.next_start.at) <= window.start:
        return False  # the connection belonged to the life after it
    return _coincides(end, window)


def _coincides(end: Death, window: Window) -> bool:
    first, last = end.first or end.last, end.last or end.first
    if first is None or last is None:
        return False
    return utc(first) <= window.end + _SLACK and utc(last) >= window.start - _SLACK


def _lies_in(end: Death, window: Window) -> bool:
    last = end.last or end.first
    return last is not None and utc(last) >= window.start


def _only(ends: list[Death], *, sure: bool) -> Death:
    """Of a loss whose moment isn't known: the last end, sure only where the log itself is the question."""
    return _with(ends[-1], exact=sure)


def _with(end: Death, *, exact: bool) -> Death:
    return Death(end.ending, end.first, end.last, end.evidence, end.next_start, exact)


def _from_lives(lives: tuple[Life, ...]) -> list[Death]:
    ends = []
    for index, life in enumerate(lives):
        if life.ending in (Ending.RUNNING, Ending.UNKNOWN):
            continue
        after = lives[index + 1] if index + 1 < len(lives) else None
        start = None if after is None else Entry(kind=Kind.START, line=after.start_line, at=after.started)
        times = [entry.at for entry in life.evidence if entry.at is not None]
        last = (after.started if after and life.ending is Ending.KILLED else None) or life.ended
        first = min(times, default=life.ended)
        if last is not None and life.ending is Ending.KILLED and not times:
            first = max(utc(last) - _SILENT, utc(life.started)) if life.started else utc(last) - _SILENT
        ends.append(Death(life.ending, first or last, last or first, life.evidence, start))
    return ends


def _from_entries(log: Iterable[Entry], since: datetime | None) -> list[Death]:
    """The ends that lifecycle lines tell, where there is no summary of the whole log.

    Args:
        log: the entries.
        since: from when on the log is whole, where that is known: a first start after it had a life before it.
    """
    ends: list[Death] = []
    story: list[Entry] = []  # what this life has said of its end so far
    lived: Entry | None = None  # the last line that it wrote while it lived
    start: Entry | None = None  # the line that began it
    booting = False
    for entry in log:
        if entry.kind not in LIFECYCLE:
            lived = entry
        elif entry.kind is Kind.CRASH_RECOVERY:
            _mark_recovered(ends, start, entry)
        elif entry.kind is Kind.READY and (booting or (lived is not None and not story)):
            lived, booting = entry, False  # of the start before it; there may be several for one life
        elif entry.kind in (Kind.START, Kind.READY):
            if booting and not story:
                continue  # the service manager's line and the server's own
            followed = since is not None and entry.at is not None and utc(entry.at) > since
            if story or lived is not None or (followed and not ends):
                ends.append(_conclude(story, lived, entry))
            story, lived, start, booting = [], entry, entry, entry.kind is Kind.START
        else:
            story.append(entry)
            booting = False
    if story:
        ends.append(_conclude(story, lived, None))
    return ends


def _conclude(story: list[Entry], lived: Entry | None, start: Entry | None) -> Death:
    kinds = {entry.kind for entry in story}
    # A shutdown that was over was in order whatever came on the way; else the most telling line decides.
    if Kind.SHUTDOWN_DONE in kinds:
        ending = Ending.CLEAN
    elif Kind.OOM_KILL in kinds:
        ending = Ending.OOM
    elif Kind.HANG in kinds:
        ending = Ending.HANG
    elif Kind.CRASH in kinds:
        ending = Ending.CRASH
    elif kinds & {Kind.SHUTDOWN_BEGUN, Kind.FORCED_CLOSE}:
        # Without the next life's start it may still be going on.
        ending = Ending.CLEAN if start is None else Ending.UNFINISHED_SHUTDOWN
    else:
        ending = Ending.KILLED
    times = [entry.at for entry in story if entry.at is not None]
    start_at = start.at if start else None
    if times:
        first: datetime | None = times[0]
    elif start_at is not None:
        last_line = utc(lived.at) if lived and lived.at else utc(start_at) - _SILENT
        first = max(last_line, utc(start_at) - _SILENT)
    else:
        first = None
    return Death(ending, first, times[-1] if times else start_at, tuple(story), start)


def _mark_recovered(ends: list[Death], start: Entry | None, entry: Entry) -> None:
    """The new life says that the one before it did not end in order; its own lines may be in an older file."""
    if not ends or ends[-1].next_start is not start:
        ends.append(_conclude([], None, start or entry))
    end = ends[-1]
    if end.ending is Ending.KILLED:
        ends[-1] = Death(end.ending, end.first, end.last, (*end.evidence, entry), end.next_start)
