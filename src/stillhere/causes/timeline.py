"""What happened when: losses, the server's starts and ends, aborted connections, changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from stillhere.causes.answer import LogView, Mark, Moment
from stillhere.causes.assemble import Scene
from stillhere.causes.gather import Gathered, subject_of
from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import Ending, Life

__all__ = ["timeline"]

_CHANGES = {Kind.READ_ONLY: Mark.CHANGE, Kind.ROLE_CHANGE: Mark.CHANGE, Kind.CLUSTER: Mark.CHANGE}
_REFUSED = {
    Kind.TOO_MANY_CONNECTIONS: "too many connections",
    Kind.HOST_BLOCKED: "a host is blocked",
    Kind.THREAD_LIMIT: "no thread for a new connection",
    Kind.ACCEPT_FAILED: "connections can't be accepted",
    Kind.DISK_FULL: "the disk is full",
}
_ENDINGS = {
    Ending.CLEAN: (Mark.STOP, "shut down in order"),
    Ending.CRASH: (Mark.CRASH, "crashed"),
    Ending.KILLED: (Mark.CRASH, "killed; its log doesn't say by whom"),
    Ending.OOM: (Mark.OOM, "killed for want of memory"),
    Ending.UNFINISHED_SHUTDOWN: (Mark.STOP, "a shutdown began and did not finish"),
    Ending.HANG: (Mark.HANG, "hung, and ended itself"),
}
_CHANGES_SHOWN = 50
_LIVES_SHOWN = 50
_SAME_START = timedelta(seconds=5)
"""What a log's first line may be ahead of the moment from which the server counts its uptime."""


def timeline(gathered: Gathered, known: Scene) -> tuple[Moment, ...]:
    """Everything that has a time, in its order.

    Args:
        gathered: the application's reports.
        known: the logs and the look at the live server.
    """
    moments = [*_losses(gathered), *_lives(known.lives[-_LIVES_SHOWN:]), *_look(known)]
    for log in known.logs:
        moments += [*_aborts(log), *_refused(log), *_changes(log)]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _losses(gathered: Gathered) -> Iterator[Moment]:
    for group in gathered.groups.values():
        what = subject_of(group.kept[0])
        for burst in group.bursts:
            yield Moment(
                at=burst.first,
                until=burst.last if burst.count > 1 else None,
                mark=Mark.LOSS,
                text=what,
                count=burst.count,
                source=group.source,
            )


def _lives(lives: tuple[Life, ...]) -> Iterator[Moment]:
    for life, after in zip_longest(lives, lives[1:]):
        version = f" ({life.version})" if life.version else ""
        begun = life.started or life.ready
        if begun is not None and life.start_line:
            yield Moment(at=begun, mark=Mark.START, text=f"server started{version}", source=_line(life.start_line))
        # Who dies without a word is found dead by the next start.
        ended = life.ended or (after.started if after is not None else None)
        if life.ending in _ENDINGS and ended is not None:
            mark, words = _ENDINGS[life.ending]
            found = "" if life.ended is not None else "found dead: "
            yield Moment(at=ended, mark=mark, text=f"server {found}{words}", source=_line(life.end_line))


def _aborts(log: LogView) -> Iterator[Moment]:
    hours = log.summary.aborts.by_hour
    if not hours:
        return
    kinds = {Kind.ABORTED, Kind.IDLE_TIMEOUT, Kind.ABORTED_CONNECT, Kind.PACKET_TOO_LARGE}
    times = [entry.at for entry in log.summary.entries if entry.kind in kinds and entry.at is not None]
    first, last = _within(times, hours[0][0]), _within(times, hours[-1][0])
    total = sum(count for _, count in hours)
    yield Moment(
        at=first[0] if first else hours[0][0],
        until=(last[-1] if last else hours[-1][0]) if total > 1 else None,
        mark=Mark.ABORTS,
        text="aborted connections" if total > 1 else "an aborted connection",
        count=total,
        source=log.name,
    )


def _refused(log: LogView) -> Iterator[Moment]:
    for kind, words in _REFUSED.items():
        times = [entry.at for entry in log.summary.entries if entry.kind is kind and entry.at is not None]
        if times:
            count = log.summary.counts.get(kind, len(times))
            yield Moment(
                at=times[0],
                until=times[-1] if count > 1 else None,
                mark=Mark.REFUSED,
                text=words,
                count=count,
                source=log.name,
            )


def _changes(log: LogView) -> Iterator[Moment]:
    changed = [entry for entry in log.summary.entries if entry.kind in _CHANGES and entry.at is not None]
    for entry in changed[-_CHANGES_SHOWN:]:
        yield Moment(at=_at(entry), mark=Mark.CHANGE, text=entry.text, source=_line(entry.line))


def _look(known: Scene) -> Iterator[Moment]:
    look = known.look
    if look is None:
        return
    if look.snapshot is None:
        yield Moment(at=look.at, mark=Mark.LOOK, text=f"the server lets nobody in: {look.error}", source=look.address)
        return
    uptime = look.snapshot.count("uptime")
    started = None if uptime is None else look.snapshot.taken_at - timedelta(seconds=uptime)
    logged = [life.started for life in known.lives if life.started is not None]
    if started is not None and not any(abs(one - started) <= _SAME_START for one in logged):
        yield Moment(at=started, mark=Mark.START, text="server started, by its uptime", source=look.address)
    yield Moment(at=look.snapshot.taken_at, mark=Mark.LOOK, text="the server was looked at", source=look.address)


def _within(times: list[datetime], hour: datetime) -> list[datetime]:
    return [at for at in times if hour <= at < hour + timedelta(hours=1)]


def _at(entry: Entry) -> datetime:
    assert entry.at is not None  # noqa: S101 - for the type checker; callers look first
    return entry.at


def _line(line: int) -> str:
    return f"error log, line {line}" if line else "error log"
