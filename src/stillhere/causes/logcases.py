"""What a server's log shows by itself, as observations: how its lives ended, who was cut off, who was turned away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest

from stillhere.causes.assemble import Scene
from stillhere.causes.observations import Observations, SessionFacts
from stillhere.causes.windows import NEAR, around
from stillhere.errorlog.entry import LIFECYCLE, Entry, Kind
from stillhere.errorlog.summary import AbortGroup, Ending, Life, Summary

__all__ = ["LogCase", "log_cases"]

_GROUPS = 10
"""So many groups of aborted connections, the largest, are explained; the summary counts them all."""

_TURNED_AWAY = (
    Kind.DISK_FULL,
    Kind.TOO_MANY_CONNECTIONS,
    Kind.THREAD_LIMIT,
    Kind.ACCEPT_FAILED,
    Kind.HOST_BLOCKED,
    Kind.PACKET_TOO_LARGE,
    Kind.CLUSTER,
    Kind.READ_ONLY,
    Kind.UPGRADE_REFUSED,
    Kind.BLOB_OVER_REDO,
)
_NO_LOSSES = (Kind.INSECURE_TRANSPORT, Kind.NAME_RESOLUTION, Kind.ACCESS_DENIED)
"""What a log is full of, and what ends no connection that had been opened: told last."""
_OF_AN_ENDING = LIFECYCLE | {Kind.FORCED_CLOSE, Kind.DISK_FULL, Kind.UPGRADE_REFUSED}
"""What belongs to the end of a life; connections that were cut for reasons of their own don't."""
_ENDINGS = {
    Ending.OOM: "the server was killed for want of memory",
    Ending.CRASH: "the server crashed",
    Ending.HANG: "the server ended itself after a hang",
    Ending.KILLED: "the server was killed, and its log doesn't say why",
    Ending.UNFINISHED_SHUTDOWN: "a shutdown of the server did not finish",
    Ending.CLEAN: "the server was shut down in order",
}
"""In order of weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCase:
    """One thing that a log shows.

    Attributes:
        subject: in one clause.
        seen: what is known of it.
        count: how often it came.
        first: when it came first.
        last: when it came last.
        line: where the last of it stands.
        weight: sorts what ends every connection before what ends one.
    """

    subject: str
    seen: Observations
    count: int
    first: datetime | None
    last: datetime | None
    line: int
    weight: int


def log_cases(known: Scene) -> Iterator[LogCase]:
    """Everything in the logs that ended connections or turned clients away; what is only noise is left out."""
    yield from _endings(known)
    for log in known.logs:
        yield from _refusals(known, log.summary, _TURNED_AWAY, len(_ENDINGS))
        yield from _aborts(known, log.summary)
        yield from _refusals(known, log.summary, _NO_LOSSES, len(_ENDINGS) + 2)


def _endings(known: Scene) -> Iterator[LogCase]:
    for weight, (ending, words) in enumerate(_ENDINGS.items()):
        ended = [(life, after) for life, after in _pairs(known.lives) if life.ending is ending]
        if not ended:
            continue
        life, after = ended[-1]
        times = [moment for one, _ in ended if (moment := _end_of(one)) is not None]
        yield LogCase(
            subject=words,
            seen=_observed(known, log=_about(known, life, after), lives=_two(life, after)),
            count=len(ended),
            first=times[0] if times else None,
            last=times[-1] if times else None,
            line=life.end_line,
            weight=weight,
        )


def _refusals(known: Scene, summary: Summary, kinds: tuple[Kind, ...], weight: int) -> Iterator[LogCase]:
    for kind in kinds:
        count = summary.counts.get(kind, 0)
        entries = tuple(entry for entry in summary.entries if entry.kind is kind)
        if not count or not entries:
            continue
        yield LogCase(
            subject=f"the log says {kind.value!r}",
            seen=_observed(known, log=entries, count=count),
            count=count,
            first=entries[0].at,
            last=entries[-1].at,
            line=entries[-1].line,
            weight=weight,
        )


def _aborts(known: Scene, summary: Summary) -> Iterator[LogCase]:
    noisy = {noise.host for noise in summary.noise}
    told = 0
    for group in summary.aborts.groups:
        if group.kind is Kind.PACKET_TOO_LARGE or (group.host in noisy and group.kind is not Kind.ABORTED):
            continue
        entries = tuple(entry for entry in summary.entries if _belongs(entry, group))
        if not entries:
            continue
        told += 1
        if told > _GROUPS:
            return
        seen = _observed(known, log=entries, count=group.count)
        yield LogCase(
            subject=_words(group),
            seen=replace(seen, session=SessionFacts(user=group.user, host=group.host)),
            count=group.count,
            first=entries[0].at or group.first_hour,
            last=entries[-1].at or group.last_hour,
            line=entries[-1].line,
            weight=len(_ENDINGS) + 1,
        )


def _words(group: AbortGroup) -> str:
    who = group.user + (f"@{group.host}" if group.host else "") if group.user else group.host
    what = {
        Kind.ABORTED_CONNECT: "connections that ended before they had logged in",
        Kind.UNAUTHENTICATED: "connections that left without logging in",
        Kind.IDLE_TIMEOUT: "idle connections that the server closed",
    }.get(group.kind, "aborted connections")
    return what + (f" of {who}" if who else "") + (f": {group.reason}" if group.reason else "")


def _belongs(entry: Entry, group: AbortGroup) -> bool:
    return (entry.kind, entry.user, entry.host, entry.reason) == (group.kind, group.user, group.host, group.reason)


def _observed(known: Scene, *, log: tuple[Entry, ...], lives: tuple[Life, ...] = (), count: int = 0) -> Observations:
    """Without a moment: the log itself is the question, and everything that is handed on belongs to it."""
    return Observations(
        server=known.server,
        log=log,
        log_omitted=max(0, count - len(log)),
        lives=lives,
        snapshot=known.look.snapshot if known.look is not None else None,
    )


def _about(known: Scene, life: Life, after: Life | None) -> tuple[Entry, ...]:
    """The entries about the end of a life: around it, with those of the next start."""
    end = _end_of(life)
    if end is None:
        return life.evidence
    until = max(end, after.started) if after is not None and after.started is not None else end
    near = around(known.entries, end, at_once=True)
    more = around(known.entries, until, at_once=True) if until - end > timedelta() else ()
    found = {id(entry): entry for entry in (*life.evidence, *near, *more)}
    last = until + NEAR
    return tuple(
        entry for entry in found.values() if entry.kind in _OF_AN_ENDING and (entry.at is None or entry.at <= last)
    )


def _end_of(life: Life) -> datetime | None:
    if life.ended is not None:
        return life.ended
    times = [entry.at for entry in life.evidence if entry.at is not None]
    return times[-1] if times else None


def _pairs(lives: tuple[Life, ...]) -> Iterator[tuple[Life, Life | None]]:
    yield from zip_longest(lives, lives[1:])


def _two(life: Life, after: Life | None) -> tuple[Life, ...]:
    """The life in question, and the one after it as one of which only the beginning matters."""
    return (life,) if after is None else (life, replace(after, ending=Ending.UNKNOWN, ended=None, evidence=()))
