"""Which entries of the logs may have to do with a loss, and several logs as one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import Ending, Life, Summary

__all__ = ["LONG_AGO", "NEAR", "around", "joined_entries", "joined_lives", "recent"]

NEAR = timedelta(minutes=2)
"""What two machines' clocks may be apart, with the time that a report takes to be written."""
LONG_AGO = timedelta(hours=24)
"""For how long a pool may have kept a connection that had died before anybody used it again."""

_ENDS_CONNECTIONS = frozenset(
    {
        Kind.START,
        Kind.READY,
        Kind.SHUTDOWN_BEGUN,
        Kind.SHUTDOWN_DONE,
        Kind.FORCED_CLOSE,
        Kind.CRASH,
        Kind.CRASH_RECOVERY,
        Kind.HANG,
        Kind.OOM_KILL,
        Kind.KILLED,
        Kind.ABORTED,
        Kind.IDLE_TIMEOUT,
        Kind.READ_ONLY,
        Kind.ROLE_CHANGE,
        Kind.CLUSTER,
    }
)
"""What a client may notice long after it happened: it ends, or turns away, a connection that nobody uses."""
_OOM_BEFORE = timedelta(minutes=5)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def joined_entries(summaries: Iterable[Summary]) -> tuple[Entry, ...]:
    """The entries of several logs as one, in order of time; those without a time come first."""
    entries = [entry for summary in summaries for entry in summary.entries]
    return tuple(sorted(entries, key=lambda entry: entry.at or _EARLIEST))


def around(entries: Sequence[Entry], at: datetime | None, *, at_once: bool) -> tuple[Entry, ...]:
    """The entries that may have to do with a loss.

    Args:
        entries: in order of time, as `joined_entries` gives them.
        at: when the client met it; ``None`` takes all entries, since any may be the one.
        at_once: whether the connection was in use when it was cut. Else it may have died up to `LONG_AGO` before, and
            entries of what ends connections are taken from so far back.
    """
    if at is None:
        return tuple(entries)
    # Half a second where the log counts whole seconds is well inside NEAR.
    first = bisect_left(entries, at - (NEAR if at_once else LONG_AGO), key=_time)
    last = bisect_left(entries, at + NEAR, key=_time)
    near = at - NEAR
    return tuple(entry for entry in entries[first:last] if _time(entry) >= near or entry.kind in _ENDS_CONNECTIONS)


def joined_lives(summaries: Sequence[Summary]) -> tuple[Life, ...]:
    """The lives of one server out of several logs, such as rotated ones and the kernel's beside the server's.

    A life that runs on at the end of one file, and one that is under way at the beginning of the next, are the same. A
    life that was killed for no reason that its own log tells was killed for want of memory where another log has the
    kernel say so just before.
    """
    lives: list[Life] = []
    for summary in sorted(summaries, key=lambda one: one.first or _EARLIEST):
        for life in summary.lives:
            if lives and not life.start_line and lives[-1].ending is Ending.RUNNING:
                lives[-1] = _continued(lives[-1], life)
            else:
                lives.append(life)
    kills = [entry for entry in joined_entries(summaries) if entry.kind is Kind.OOM_KILL and entry.at is not None]
    return tuple(_for_want_of_memory(life, after, kills) for life, after in zip_longest(lives, lives[1:]))


def recent(lives: tuple[Life, ...], at: datetime | None) -> tuple[Life, ...]:
    """The lives without those that ended before any connection of a pool was made; all of them without a time."""
    if at is None:
        return lives
    return tuple(life for life in lives if life.ended is None or life.ended >= at - LONG_AGO)


def _continued(before: Life, after: Life) -> Life:
    return Life(
        ending=after.ending,
        started=before.started,
        ready=before.ready or after.ready,
        ended=after.ended,
        start_line=before.start_line,
        end_line=after.end_line,
        version=before.version or after.version,
        pid=before.pid or after.pid,
        signal=after.signal,
        evidence=after.evidence,
    )


def _for_want_of_memory(life: Life, after: Life | None, kills: Sequence[Entry]) -> Life:
    if life.ending is not Ending.KILLED or after is None or after.started is None:
        return life
    begun = max(life.started or _EARLIEST, after.started - _OOM_BEFORE)
    fitting = [kill for kill in kills if begun <= _time(kill) <= after.started]
    if not fitting:
        return life
    return Life(
        ending=Ending.OOM,
        started=life.started,
        ready=life.ready,
        ended=fitting[-1].at,
        start_line=life.start_line,
        end_line=life.end_line,
        version=life.version,
        pid=life.pid,
        signal=life.signal,
        evidence=(*life.evidence, fitting[-1])[-10:],
    )


def _time(entry: Entry) -> datetime:
    return entry.at or _EARLIEST
