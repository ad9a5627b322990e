"""What the rules see: one server, what it counted, what was watched, and what the user told. Frozen, nothing asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from stillhere.findings import Evidence
from stillhere.survey.host_cache import HostEntry
from stillhere.survey.origins import SettingFacts
from stillhere.survey.snapshot import Snapshot

__all__ = [
    "Cut",
    "Measured",
    "Needs",
    "Seen",
    "SessionMemory",
    "age",
    "plural",
    "session_memory",
]

MIB = 1024**2


class Cut(Enum):
    """Why the server itself gave a connection up. The value is the cause, as a clause."""

    IDLE = "idle for longer than its limit"
    PACKET = "a packet larger than max_allowed_packet"
    READ = "the client stopped in the middle of sending"
    WRITE = "the client left its result unread"
    HANDSHAKE = "a handshake that took longer than connect_timeout"
    BLOCKED = "its host is blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Cuts of one kind from one source.

    Attributes:
        number: how many.
        source: where they were counted.
        since: the span of the count, such as ``"since the server's start, 3.2 h ago"``.
        last: when the last one came; ``None`` where that isn't known.
        by: whose they were, most frequent first; may be empty.
        at: seconds of idleness at which they came, where that was seen.
    """

    number: int
    source: str
    since: str = ""
    last: datetime | None = None
    by: tuple[tuple[str, int], ...] = ()
    at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What only the user knows.

    Attributes:
        idle: the longest pause in seconds that an application makes between two statements of a session.
        packet: the largest statement or row in bytes.
        memory: bytes of memory that the server may use.
    """

    idle: float | None = None
    packet: int | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMemory:
    """What one session may cost, from the server's own settings, in bytes.

    Attributes:
        idle: its thread's stack and its network buffer.
        busy: the same with one of each buffer that a statement may take.
        largest: the same with the network buffer grown to max_allowed_packet.
    """

    idle: int
    busy: int
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One server, as far as it could be measured.

    Attributes:
        snapshot: variables, status, sessions, transactions.
        facts: where settings come from and their limits.
        cuts: connections that the server gave up, by kind; a kind that was counted and never came has a count of 0,
            one that nobody counts is absent.
        hosts: addresses that failed to connect; ``None`` where the server couldn't be asked.
        named: accounts that are bound to a host by name; ``None`` where that couldn't be asked.
        needs: what the user told.
        gaps: what is missing, to the reason.
    """

    snapshot: Snapshot
    facts: Mapping[str, SettingFacts] = field(default_factory=dict)
    cuts: Mapping[Cut, tuple[Seen, ...]] = field(default_factory=dict)
    hosts: tuple[HostEntry, ...] | None = None
    named: tuple[str, ...] | None = None
    needs: Needs = Needs()
    gaps: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> int | None:
        """A global setting as a whole number; ``None`` where the server has none of that name."""
        number = self.snapshot.number(name)
        return None if number is None else int(number)

    def happened(self, kind: Cut, name: str) -> tuple[Seen, ...]:
        """The counts of that kind that aren't zero, and of which not all are older than a setting's present value."""
        facts = self.facts.get(name)
        changed = facts.changed if facts is not None else None
        return tuple(
            seen
            for seen in self.cuts.get(kind, ())
            if seen.number and not (changed is not None and seen.last is not None and seen.last < changed)
        )

    def evidence(self, kind: Cut, name: str) -> tuple[Evidence, ...]:
        """The same as evidence."""
        return tuple(
            Evidence(
                f"{plural(seen.number, 'connection')} ended: {kind.value}{_whose(seen)}"
                f"{', ' + seen.since if seen.since else ''}",
                seen.source,
            )
            for seen in self.happened(kind, name)
        )

    def setting(self, name: str) -> Evidence:
        """The present value as evidence, with where it comes from."""
        facts = self.facts.get(name)
        origin = f", from {facts.origin.value}{' ' + facts.path if facts.path else ''}" if facts is not None else ""
        return Evidence(f"{name} is {self.snapshot.variables.get(name, 'absent')}{origin}", "SHOW GLOBAL VARIABLES")


def session_memory(snapshot: Snapshot) -> SessionMemory:
    """What one session may cost. A statement can take more: one join buffer a join, one sort buffer a sort.

    Source: "How MySQL Uses Memory" in the manual.
    """

    def size(*names: str) -> int:
        return sum(int(snapshot.number(name) or 0) for name in names)

    idle = size("thread_stack", "net_buffer_length")
    busy = idle + size("read_buffer_size", "read_rnd_buffer_size", "sort_buffer_size", "join_buffer_size")
    if snapshot.switched_on("log_bin"):
        busy += size("binlog_cache_size")
    return SessionMemory(idle=idle, busy=busy, largest=busy - size("net_buffer_length") + size("max_allowed_packet"))


def age(seconds: float) -> str:
    """A span of time as a person says it."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _whose(seen: Seen) -> str:
    if not seen.by:
        return ""
    shown = ", ".join(f"{who} {number}" for who, number in seen.by[:3])
    return f" ({shown}{', …' if len(seen.by) > 3 else ''})"  # noqa: PLR2004 - as many as fit on a line
