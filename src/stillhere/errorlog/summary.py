"""What a whole log says: the server's lives, who was cut off and why, and what is only noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from stillhere.errorlog.entry import Entry, Kind

__all__ = ["AbortGroup", "Aborts", "Count", "Ending", "Life", "Noise", "Summary"]


class Ending(Enum):
    """How one life of a server ended."""

    CLEAN = "clean shutdown"
    CRASH = "crash"
    KILLED = "killed"
    """The next start has neither shutdown nor crash lines before it, or the service manager saw SIGKILL."""
    OOM = "killed for want of memory"
    UNFINISHED_SHUTDOWN = "shutdown not finished"
    """A shutdown began and nobody waited for its end."""
    HANG = "hang"
    RUNNING = "running"
    """The log ends while it runs."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One run of the server, from its start to its end.

    Attributes:
        ending: how it ended.
        started: when its first line was written; ``None`` where the log begins later or has no times.
        ready: when it was ready for connections; ``None`` where it never was, or the line is missing.
        ended: when its last telling line was written; ``None`` where nothing tells, and while it runs.
        start_line: the line of its start; 0 where the log begins later.
        end_line: the line of its last telling entry; 0 where there is none.
        version: as the server gives it at its start; may be empty.
        pid: the process id that it gives at its start; 0 where it is unknown.
        signal: the signal that ended it; 0 where there was none or it is unknown.
        evidence: the entries that the ending rests on, oldest first; at most ten.
    """

    ending: Ending
    started: datetime | None = None
    ready: datetime | None = None
    ended: datetime | None = None
    start_line: int = 0
    end_line: int = 0
    version: str = ""
    pid: int = 0
    signal: int = 0
    evidence: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A name and how often it came."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortGroup:
    """Connections that were aborted for one reason, of one user from one host.

    Attributes:
        kind: one of ABORTED, ABORTED_CONNECT, IDLE_TIMEOUT, PACKET_TOO_LARGE and UNAUTHENTICATED.
        user: the account's name; empty before authentication.
        host: the client's host or address.
        reason: in the log's words.
        count: how many.
        first_hour: the hour of the first in the log, in UTC; ``None`` where lines have no time.
        last_hour: the hour of the last.
    """

    kind: Kind
    user: str
    host: str
    reason: str
    count: int
    first_hour: datetime | None = None
    last_hour: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborts:
    """Aborted connections, counted. Each table is bounded: what fell out of it is in its count of others.

    A count in a table whose others are not zero may be too low by as much as the log had of that name while it
    was not among the frequent ones; totals are exact.

    Attributes:
        total: how many in all.
        groups: by user, host and reason, most frequent first.
        others: those that are in no group.
        by_user: by account name, most frequent first; the empty name is "before authentication".
        other_users: those of no name in `by_user`.
        by_host: by host, most frequent first.
        other_hosts: those of no host in `by_host`.
        by_reason: by reason, most frequent first.
        other_reasons: those of no reason in `by_reason`.
        by_hour: by the hour of the log's own clock, given in UTC, in order of time.
        other_hours: those of no hour in `by_hour`, and those without a time.
    """

    total: int = 0
    groups: tuple[AbortGroup, ...] = ()
    others: int = 0
    by_user: tuple[Count, ...] = ()
    other_users: int = 0
    by_host: tuple[Count, ...] = ()
    other_hosts: int = 0
    by_reason: tuple[Count, ...] = ()
    other_reasons: int = 0
    by_hour: tuple[tuple[datetime, int], ...] = ()
    other_hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Aborted connects that come with the regularity of a machine: a monitor or a port check, not a client's loss.

    Attributes:
        host: where they come from.
        period: seconds between two of them, about.
        count: how many there were of this host in the log.
    """

    host: str
    period: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a log says.

    Attributes:
        lines: how many it has.
        size: how many bytes, after decompression.
        unknown: lines of no format that is known, outside of crash blocks; empty ones don't count.
        formats: the formats that were seen, wrapping first, such as ``"docker: mysql 8"``.
        first: the time of the first line that has one.
        last: the time of the last line that has one.
        lives: the server's lives, oldest first; beyond a bound, the oldest are dropped.
        dropped_lives: how many were dropped.
        counts: how many entries of each kind; kinds that did not come are absent.
        aborts: aborted connections, counted.
        noise: what of them is periodic.
        entries: in the order of the log: of the rare kinds all up to a bound, of the frequent ones the first
            and last few, and those within the window that was asked for.
        omitted: entries that `counts` has and `entries` has not.
        damage: why reading ended before the log did (a packed file that is cut off); empty where it did not.
    """

    lines: int = 0
    size: int = 0
    unknown: int = 0
    formats: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    lives: tuple[Life, ...] = ()
    dropped_lives: int = 0
    counts: Mapping[Kind, int] = field(default_factory=dict)
    aborts: Aborts = field(default_factory=Aborts)
    noise: tuple[Noise, ...] = ()
    entries: tuple[Entry, ...] = ()
    omitted: int = 0
    damage: str = ""
