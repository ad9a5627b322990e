"""Counting what comes by the million, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

from stillhere.errorlog.entry import FREQUENT, Entry, Kind
from stillhere.errorlog.messages import Abort
from stillhere.errorlog.summary import AbortGroup, Aborts, Count

__all__ = ["AbortTally", "Kept", "Table", "Window"]

_NAMES = 5000  # that a table keeps when it has grown to twice as many
_SHOWN = 100
_HOURS = 24 * 366
_RARE = 500  # entries of a rare kind
_ENDS = 5  # entries of a frequent kind, at either end
_INSIDE = 5000  # entries within the window

Window = tuple[datetime, datetime]
_Group = tuple[str, str, str, str]
KeyT = TypeVar("KeyT", str, _Group)


class Table(Generic[KeyT]):
    """Counts by name, of which the frequent ones stay.

    Attributes:
        total: all that was counted.
    """

    def __init__(self) -> None:
        self._counts: dict[KeyT, int] = {}
        self.total = 0

    def add(self, name: KeyT, number: int) -> None:
        """So many more of that name."""
        self._counts[name] = self._counts.get(name, 0) + number
        self.total += number
        if len(self._counts) > 2 * _NAMES:
            self._counts = dict(self.most(_NAMES))

    def most(self, number: int) -> list[tuple[KeyT, int]]:
        """So many of the names, the most frequent first; equals in the order of their names."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:number]


class AbortTally:
    """Aborted connections by user, host, reason and hour."""

    def __init__(self) -> None:
        self._users: Table[str] = Table()
        self._hosts: Table[str] = Table()
        self._reasons: Table[str] = Table()
        self._hours: dict[datetime, int] = {}
        self._other_hours = 0
        self._groups: Table[_Group] = Table()
        self._spans: dict[_Group, tuple[datetime, datetime]] = {}

    def add(self, abort: Abort, hour: datetime | None, number: int) -> None:
        """So many more that are alike, in one hour."""
        self._users.add(abort.user, number)
        self._hosts.add(abort.host, number)
        self._reasons.add(abort.reason, number)
        key = (abort.kind.value, abort.user, abort.host, abort.reason)
        self._groups.add(key, number)
        if hour is None or (hour not in self._hours and len(self._hours) >= _HOURS):
            self._other_hours += number
        else:
            self._hours[hour] = self._hours.get(hour, 0) + number
        if hour is not None:
            first, last = self._spans.get(key, (hour, hour))
            self._spans[key] = (min(first, hour), max(last, hour))
            if len(self._spans) > 4 * _NAMES:
                kept = {name for name, _ in self._groups.most(_NAMES)}
                self._spans = {name: span for name, span in self._spans.items() if name in kept}

    def result(self) -> Aborts:
        """The tables, with what fell out of them."""
        groups = self._groups.most(_SHOWN)
        users, hosts, reasons = (_shown(table) for table in (self._users, self._hosts, self._reasons))
        total = self._groups.total
        return Aborts(
            total=total,
            groups=tuple(self._group(key, count) for key, count in groups),
            others=total - sum(count for _, count in groups),
            by_user=users,
            other_users=total - sum(user.count for user in users),
            by_host=hosts,
            other_hosts=total - sum(host.count for host in hosts),
            by_reason=reasons,
            other_reasons=total - sum(reason.count for reason in reasons),
            by_hour=tuple(sorted(self._hours.items())),
            other_hours=self._other_hours,
        )

    def _group(self, key: _Group, count: int) -> AbortGroup:
        kind, user, host, reason = key
        first, last = self._spans.get(key, (None, None))
        return AbortGroup(
            kind=Kind(kind), user=user, host=host, reason=reason, count=count, first_hour=first, last_hour=last
        )


class Kept:
    """The entries that a summary keeps, and the count of all of them."""

    def __init__(self, around: Window | None) -> None:
        self._around = around
        self._first: dict[Kind, list[Entry]] = {}
        self._last: dict[Kind, deque[tuple[int, bytes | Entry]]] = {}
        self._inside: list[Entry] = []
        self.counts: dict[Kind, int] = {}

    def wants_first(self, kind: Kind) -> int:
        """How many more entries of this kind are kept as they come."""
        return (_ENDS if kind in FREQUENT else _RARE) - len(self._first.get(kind, ()))

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self.count(entry.kind, 1)
        if self.wants_first(entry.kind) > 0:
            self.keep_first(entry)
            return
        self.last(entry.kind, [(entry.line, entry)])
        if self._around and entry.at and self._around[0] <= entry.at <= self._around[1] and len(self._inside) < _INSIDE:
            self._inside.append(entry)

    def keep_first(self, entry: Entry) -> None:
        """One of the first of its kind, counted elsewhere."""
        self._first.setdefault(entry.kind, []).append(entry)

    def count(self, kind: Kind, number: int) -> None:
        """So many more of this kind."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number

    def last(self, kind: Kind, lines: Iterable[tuple[int, bytes | Entry]]) -> None:
        """The latest of this kind so far, the later ones last: entries, or lines that are read only if they stay."""
        self._last.setdefault(kind, deque(maxlen=_ENDS)).extend(lines)

    def ends(self) -> int:
        """How many of the latest of a kind are kept."""
        return _ENDS

    def waiting(self) -> list[tuple[int, bytes]]:
        """The lines that are still to be read."""
        return [(number, raw) for latest in self._last.values() for number, raw in latest if isinstance(raw, bytes)]

    def result(self, read: Iterable[Entry]) -> tuple[Entry, ...]:
        """All that is kept, in the order of the log.

        Args:
            read: the entries of the lines that were waiting.
        """
        kept = {(e.line, e.kind): e for entries in self._first.values() for e in entries}
        kept |= {(e.line, e.kind): e for e in self._inside}
        kept |= {(e.line, e.kind): e for latest in self._last.values() for _, e in latest if isinstance(e, Entry)}
        kept |= {(e.line, e.kind): e for e in read}
        return tuple(sorted(kept.values(), key=lambda entry: entry.line))


def _shown(table: Table[str]) -> tuple[Count, ...]:
    return tuple(Count(name, count) for name, count in table.most(_SHOWN))
