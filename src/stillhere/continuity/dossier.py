"""What this process knows of one server's address over time: counters, losses, failed attempts."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stillhere.continuity.facts import Facts, restarted_between
from stillhere.continuity.verdict import Phase
from stillhere.errorlog.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillhere.continuity.sighting import Sighting

__all__ = ["Answers", "Dossier", "Sample", "dossier_of", "dossiers"]

_KEPT = 64
_LOSSES_KEPT = 256
_IDLE_KEPT = 16
_TOGETHER = 1.0
# A thread that was killed may still finish its statement and send the reply: it looks alive after its KILL was counted.
_STILL_REPLIES = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The server's counters at one moment.

    Attributes:
        at: when, on the monotonic clock.
        facts: what was learned of the connection that asked.
        counters: status counters, names in lower case; only those that were asked.
        kills: ``Com_kill``; -1 when unknown.
        own_least: how many of those this process had sent by then, at least.
        own_most: the same, at most: it may have sent some while the counter was being read.
    """

    at: float
    facts: Facts
    counters: Mapping[str, int] = field(default_factory=dict)
    kills: int = -1
    own_least: int = 0
    own_most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a server said when it was asked about losses.

    Attributes:
        sample: the counters.
        variables: global variables, names in lower case; only those that were asked.
        threads: of the lost connections' threads those that it still has, with user and host.
        log: entries of its error log around the losses, in order of time.
        log_from: since when the log was read to this moment, in seconds of the Unix clock; 0 where it was not.
        gaps: what could not be asked, to the reason.
    """

    sample: Sample
    variables: Mapping[str, str] = field(default_factory=dict)
    threads: frozenset[tuple[int, str, str]] = frozenset()
    log: tuple[Entry, ...] = ()
    log_from: float = 0.0
    gaps: Mapping[str, str] = field(default_factory=dict)


class Dossier:
    """One address.

    Args:
        name: the address as text.

    Attributes:
        own_kills: how many KILLs this process has sent there.
        variables: global variables as they were read last, names in lower case; only those that were asked.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.own_kills = 0
        self.variables: Mapping[str, str] = {}
        self._samples: deque[Sample] = deque(maxlen=_KEPT)
        self._losses: deque[tuple[float, int, tuple[int, ...]]] = deque(maxlen=_LOSSES_KEPT)
        self._idle: deque[float] = deque(maxlen=_IDLE_KEPT)
        self._failures: deque[tuple[float, bool]] = deque(maxlen=_LOSSES_KEPT)
        self.forked()

    def forked(self) -> None:
        """In the child of a fork: the parent's lock may be held by a thread that doesn't exist here."""
        # Guards the four above: iterating over a deque while another thread appends to it fails.
        self._lock = threading.Lock()

    def note_own_kill(self) -> None:
        """This process is about to KILL."""
        with self._lock:
            self.own_kills += 1

    def note_opened(self, facts: Facts) -> None:
        """A connection was opened; on MariaDB it has learned the counter of KILLs as well."""
        if facts.kills >= 0:
            self.note_sample(
                Sample(
                    at=facts.learned_at,
                    facts=facts,
                    kills=facts.kills,
                    own_least=facts.own_kills,
                    own_most=self.own_kills,
                )
            )

    def note_sample(self, sample: Sample) -> None:
        """Counters were read."""
        with self._lock:
            self._samples.append(sample)

    def note_loss(self, seen: Sighting) -> None:
        """A connection was lost; one that could not be made, or that lives, is none."""
        if seen.phase is Phase.CONNECT or seen.phase is Phase.SEND or seen.proactive or seen.interrupted:
            return
        with self._lock:
            self._losses.append((seen.found_at, seen.lost.thread_id, seen.heard))
            if seen.phase is Phase.IDLE:
                self._idle.append(seen.idle)

    def note_failure(self, at: float, *, unreachable: bool) -> None:
        """An attempt to connect failed."""
        with self._lock:
            self._failures.append((at, unreachable))

    @property
    def last_sample(self) -> Sample | None:
        """The newest."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def others(self, seen: Sighting) -> tuple[int, tuple[int, ...]]:
        """How many other connections were lost within a second of this one, as far as found by now, and their codes."""
        with self._lock:
            codes = [
                heard
                for at, thread, heard in self._losses
                if abs(at - seen.found_at) <= _TOGETHER and thread != seen.lost.thread_id
            ]
        return len(codes), tuple(dict.fromkeys(code for heard in codes for code in heard))

    def lost_within(self, start: float, end: float) -> int:
        """How many connections were lost between those moments without a word of the server's that says why."""
        with self._lock:
            return sum(
                1 for at, _, heard in self._losses if start <= at <= end and not any(map(_is_the_servers, heard))
            )

    def earlier_idle(self, seen: Sighting) -> tuple[float, ...]:
        """Idle times of the losses of idle connections before this one."""
        with self._lock:
            idle = tuple(self._idle)
        return idle[:-1] if seen.phase is Phase.IDLE and idle and idle[-1] == seen.idle else idle

    def unreachable(self, start: float, end: float) -> bool:
        """Whether an attempt failed between those moments because the server was not there."""
        with self._lock:
            return any(failed for at, failed in self._failures if start <= at <= end)

    def window(self, alive_at: float, found_at: float) -> tuple[Sample, Sample] | None:
        """The last counters from before a connection was last known good, and the first from after its loss.

        None where there are no such two within one life of the server.
        """
        with self._lock:
            samples = sorted(self._samples, key=lambda sample: sample.at)
        before = [sample for sample in samples if sample.at <= alive_at - _STILL_REPLIES]
        after = [sample for sample in samples if sample.at >= found_at]
        if not before or not after or restarted_between(before[-1].facts, after[0].facts, sure=True) is not False:
            return None
        return before[-1], after[0]


def _is_the_servers(code: int) -> bool:
    """Whether it is none of those that client libraries make up."""
    return code != 0 and code not in range(2000, 3000)


# By address. Grows with the addresses that a process connects to, as the gates do.
_dossiers: dict[str, Dossier] = {}
# Keeps two threads from making two dossiers of one address.
_lock = threading.Lock()


def dossier_of(name: str) -> Dossier:
    """The process's dossier of an address."""
    with _lock:
        found = _dossiers.get(name)
        if found is None:
            found = _dossiers[name] = Dossier(name)
        return found


def dossiers() -> Iterator[Dossier]:
    """All of them."""
    return iter(list(_dossiers.values()))


def _reset_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held by a thread that doesn't exist here
    _lock = threading.Lock()
    for one in _dossiers.values():
        one.forked()


os.register_at_fork(after_in_child=_reset_after_fork)
