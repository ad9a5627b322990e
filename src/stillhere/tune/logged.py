"""Cuts that an error log tells of: for servers that count none (MariaDB, MySQL before 8.0).

MariaDB says "Got timeout reading communication packets" of an idle session that it cut; so does MySQL before 8.0.24.
Later ones say so only of a client that stopped in the middle of sending.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from stillhere.errorlog.entry import Entry, Kind
from stillhere.survey.snapshot import Snapshot
from stillhere.tune.measured import Cut, Seen

__all__ = ["cuts_logged", "silence"]

_READING, _WRITING = "Got timeout reading", "Got timeout writing"
_IDLE_IS_TOLD_SINCE = (8, 0, 24)
_ROUNDING = timedelta(seconds=2)  # of the uptime and of the log's times
_ABORTS_LOGGED = 2  # log_warnings, MariaDB and MySQL before 5.7.2
_NOTES_LOGGED = 3  # log_error_verbosity, MySQL since


def silence(snapshot: Snapshot) -> str | None:
    """Why the server's log says nothing of cut connections; ``None`` where it does."""
    verbosity = _whole(snapshot, "log_error_verbosity")
    if verbosity is not None:
        return None if verbosity >= _NOTES_LOGGED else f"log_error_verbosity is {verbosity}; it logs cuts from 3 on"
    warnings = _whole(snapshot, "log_warnings")
    if warnings is not None and warnings < _ABORTS_LOGGED:
        return f"log_warnings is {warnings}; it logs cuts from 2 on"
    return None


def cuts_logged(
    entries: Iterable[Entry], snapshot: Snapshot, since: datetime, source: str
) -> dict[Cut, tuple[Seen, ...]]:
    """The cuts of the server's present life, by kind; a kind that never came has a count of 0.

    Args:
        entries: of its log.
        snapshot: the server.
        since: when it started.
        source: the log, as it is to be named.
    """
    told = not snapshot.mariadb and snapshot.version.number >= _IDLE_IS_TOLD_SINCE
    kinds = [Cut.IDLE, Cut.PACKET, Cut.WRITE, Cut.HANDSHAKE, *([Cut.READ] if told else [])]
    counts: dict[Cut, Counter[str]] = {kind: Counter() for kind in kinds}
    last: dict[Cut, datetime] = {}
    for entry in entries:
        if entry.kind is Kind.START:  # of another life: the clock alone has whole seconds, and a restart is quicker
            counts, last = {kind: Counter() for kind in kinds}, {}
            continue
        kind = _cut(entry, reading=Cut.READ if told else Cut.IDLE)
        if kind is None or entry.at is None or entry.at < since - _ROUNDING:
            continue
        counts[kind][f"{entry.user}@{entry.host}" if entry.user else entry.host] += 1
        last[kind] = max(entry.at, last.get(kind, entry.at))
    return {
        kind: (
            Seen(
                number=found.total(),
                source=source,
                since=_since(since, last.get(kind)),
                last=last.get(kind),
                by=tuple((who, number) for who, number in found.most_common() if who),
            ),
        )
        for kind, found in counts.items()
    }


def _cut(entry: Entry, *, reading: Cut) -> Cut | None:
    if entry.kind is Kind.IDLE_TIMEOUT:
        return Cut.IDLE
    if entry.kind is Kind.PACKET_TOO_LARGE:
        return Cut.PACKET
    timeout = entry.reason.startswith(_READING)
    if entry.kind is Kind.ABORTED_CONNECT:
        return Cut.HANDSHAKE if timeout else None
    if entry.kind is not Kind.ABORTED:
        return None
    if timeout:
        return reading
    return Cut.WRITE if entry.reason.startswith(_WRITING) else None


def _since(start: datetime, last: datetime | None) -> str:
    text = f"since the server's start at {start:%Y-%m-%d %H:%M:%S} UTC"
    return f"{text}, last at {last:%Y-%m-%d %H:%M:%S}" if last is not None else text


def _whole(snapshot: Snapshot, name: str) -> int | None:
    number = snapshot.number(name)
    return None if number is None else int(number)
