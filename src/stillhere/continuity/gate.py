"""The gate: per server and process, who may connect now, who waits, until when. For threads.

What is decided is in `gatekeeping`; this module holds the lock while it is decided and marked, and lets go
of it for everything that takes time: the attempt, the wait, the hook.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, TypeVar

from stillhere.clock import SYSTEM_CLOCK
from stillhere.continuity.gatekeeping import (
    Decision,
    GateState,
    Limits,
    Role,
    Situation,
    Visitor,
    abandoned,
    decide,
    failed,
    probing,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from stillhere.clock import Clock

__all__ = ["Gate", "GateFull", "GateStats", "GateTimeout", "GateWait", "gate_for", "reset_after_fork"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GateWait:
    """What the `on_wait` hook is told when a visitor begins to wait, once a visit.

    Attributes:
        state: UP means that it waits for its turn to shake hands.
        waiting: how many wait, itself included.
        down_for: seconds since the server was found down; 0 while up.
        last_error: of the last attempt that failed, anybody's.
    """

    state: GateState
    waiting: int
    down_for: float
    last_error: BaseException | None


@dataclass(frozen=True, slots=True)
class GateStats:
    """A snapshot for metrics; the counters only grow."""

    state: GateState
    waiting: int
    handshaking: int
    down_for: float
    attempts: int
    failures: int
    waits: int
    refusals: int
    outages: int


class GateClosed(Exception):
    """A visitor was not let through. Internal: the connection turns it into `ServerUnavailable`.

    Attributes:
        waited: seconds since the visit began.
        waiting: how many were waiting.
        attempts: how often this visitor tried itself.
        failures: attempts by anybody that failed since the server went down.
        down_for: seconds since then.
        last_error: of the last attempt that failed, its own if it made one.
    """

    def __init__(
        self,
        *,
        waited: float,
        waiting: int,
        attempts: int,
        failures: int,
        down_for: float,
        last_error: BaseException | None,
    ) -> None:
        self.waited = waited
        self.waiting = waiting
        self.attempts = attempts
        self.failures = failures
        self.down_for = down_for
        self.last_error = last_error
        super().__init__(f"after {waited:.2f} sec, {attempts} own and {failures} failed attempts, {waiting} waiting")


class GateTimeout(GateClosed):
    """The visitor's deadline passed."""


class GateFull(GateClosed):
    """The server is down and too many wait already."""


@dataclass(slots=True)
class _Visit:
    """One call of `Gate.connect`."""

    ticket: int
    began: float
    deadline: float
    max_waiting: int
    event: threading.Event
    attempts: int = 0
    told: bool = False
    own_error: BaseException | None = None


class Gate:
    """One server address in one process.

    Args:
        clock: time, waiting and jitter.
        min_backoff: seconds between a failure and the first probe.
        max_backoff: the most seconds between two probes.
        handshakes: attempts at a time while the server is up.
        max_waiting: visitors that may wait for a server that is down; a visit may ask for another number.
        lease: seconds for which a probe or a handshake may hang before another visitor may try as well.
        on_wait: called, without the lock, when a visitor begins to wait. What it raises ends the visit.
    """

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        min_backoff: float = 0.05,
        max_backoff: float = 1.0,
        handshakes: int = 4,
        max_waiting: int = 1000,
        lease: float = 2.0,
        on_wait: Callable[[GateWait], None] | None = None,
    ) -> None:
        self.on_wait = on_wait
        self._clock = clock
        self._limits = Limits(min_backoff, max_backoff, handshakes, lease)
        self._max_waiting = max_waiting
        self._attempts = self._failures = self._waits = self._refusals = self._outages = 0
        self._last_ticket = 0
        self._last_error: BaseException | None = None
        self._situation = Situation()
        self._forget_visits()

    def _forget_visits(self) -> None:
        # The lock keeps two visitors from both seeing the probe's lease or the last handshake free and both
        # taking it, and a visitor from missing a change between deciding to wait and waiting: its event is
        # cleared under the same hold in which it decides.
        self._lock = threading.Lock()
        # By ticket and not by count, so that leaving twice, or being interrupted between two lines, can't
        # make them drift.
        self._waiting: dict[int, _Visit] = {}
        self._handshaking: dict[int, float] = {}  # ticket: when it began

    def connect(
        self,
        attempt: Callable[[], T],
        *,
        deadline: float,
        waitable: Callable[[Exception], bool],
        max_waiting: int | None = None,
    ) -> T:
        """Make one connection, now or when the server is back.

        Args:
            attempt: connects, or raises. Called without the lock, in this thread, perhaps several times. It
                should not take longer than the deadline: a thread inside it can't be called back.
            deadline: in the clock's monotonic seconds; waiting for a turn counts too.
            waitable: whether waiting may mend what the attempt raised. What can't be mended is raised at
                once and says nothing about the server.
            max_waiting: in place of the gate's own.

        Raises:
            GateTimeout: the deadline passed.
            GateFull: the server is down and too many wait already.
        """
        visit = self._enter(deadline, self._max_waiting if max_waiting is None else max_waiting)
        try:
            while True:
                role, epoch = self._turn(visit)
                try:
                    connection = attempt()
                except Exception as error:
                    if not waitable(error):
                        raise
                    self._failed(visit, role, epoch, error)
                else:
                    self._succeeded(visit, role, epoch)
                    return connection
        finally:
            self._leave(visit)

    def stats(self) -> GateStats:
        """A consistent snapshot."""
        with self._lock:
            situation = self._situation
            return GateStats(
                state=situation.state,
                waiting=len(self._waiting),
                handshaking=len(self._handshaking),
                down_for=self._down_for(self._clock.monotonic()),
                attempts=self._attempts,
                failures=self._failures,
                waits=self._waits,
                refusals=self._refusals,
                outages=self._outages,
            )

    def reset_after_fork(self) -> None:
        """In the child: new locks, nobody waiting, no probe role. What is known of the server stays."""
        self._forget_visits()
        situation = self._situation
        if situation.holder is not None:
            situation = abandoned(situation, situation.holder, self._clock.monotonic())
        self._situation = situation

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<Gate {stats.state.value}, {stats.handshaking} handshaking, {stats.waiting} waiting>"

    def _enter(self, deadline: float, max_waiting: int) -> _Visit:
        with self._lock:
            self._last_ticket += 1
            began = self._clock.monotonic()
            return _Visit(self._last_ticket, began, deadline, max_waiting, threading.Event())

    def _turn(self, visit: _Visit) -> tuple[Role, int]:
        """Wait until it is this visitor's turn; how it may attempt, and in which epoch that begins."""
        while True:
            with self._lock:
                decision = self._decide_and_mark(visit)
                now = self._clock.monotonic()
                if isinstance(decision, Role):
                    return decision, self._situation.epoch
                if isinstance(decision, GateClosed):
                    raise decision from decision.last_error
                notice = self._notice(visit, now)
            if notice is not None and self.on_wait is not None:
                self.on_wait(notice)
            self._clock.wait(visit.event, decision - now)

    def _decide_and_mark(self, visit: _Visit) -> Role | GateClosed | float:
        """With the lock held: a role that is now this visitor's, a refusal, or until when to wait."""
        now = self._clock.monotonic()
        rank = sum(1 for ticket in self._waiting if ticket < visit.ticket)
        visitor = Visitor(rank, visit.deadline, visit.attempts, visit.max_waiting)
        decision = decide(self._with_places(now), visitor, self._limits, now)
        if not isinstance(decision, Decision):
            visit.event.clear()
            self._waiting[visit.ticket] = visit
            return decision.until
        self._waiting.pop(visit.ticket, None)
        if decision in (Decision.TIMEOUT, Decision.FULL):
            self._refusals += 1
            return self._refusal(GateTimeout if decision is Decision.TIMEOUT else GateFull, visit, now)
        visit.attempts += 1
        self._attempts += 1
        if decision is Decision.PROBE:
            self._situation = probing(self._situation, visit.ticket, visit.deadline, self._limits, now)
            self._wake()  # whoever is first in the queue now must watch the lease
            return Role.PROBE
        self._handshaking[visit.ticket] = now
        self._wake()  # there may be a place for the next one too
        return Role.HANDSHAKE

    def _notice(self, visit: _Visit, now: float) -> GateWait | None:
        """With the lock held: what to tell the hook, the first time that this visitor waits."""
        if visit.told:
            return None
        visit.told = True
        self._waits += 1
        return GateWait(self._situation.state, len(self._waiting), self._down_for(now), self._last_error)

    def _failed(self, visit: _Visit, role: Role, epoch: int, error: Exception) -> None:
        # Without its frames: they would live as long as the outage, with whatever they hold.
        visit.own_error = error.with_traceback(None)
        jittered = self._clock.jitter(1.0)
        with self._lock:
            now = self._clock.monotonic()
            self._failures += 1
            self._last_error = visit.own_error
            before = self._situation.state
            self._release(visit)
            self._situation = failed(self._situation, role, visit.ticket, epoch, self._limits, now, jittered)
            if before is GateState.UP and self._situation.state is GateState.DOWN:
                self._outages += 1
                for waiter in self._waiting.values():
                    waiter.event.set()  # those beyond their max_waiting are turned away now, not later
            else:
                self._wake()

    def _succeeded(self, visit: _Visit, role: Role, epoch: int) -> None:
        with self._lock:
            self._release(visit)
            self._situation = succeeded(self._situation, role, epoch)
            if self._situation.state is GateState.UP:
                self._last_error = None
            self._wake()

    def _leave(self, visit: _Visit) -> None:
        """However a visit ends, what it held is passed on."""
        with self._lock:
            self._waiting.pop(visit.ticket, None)
            self._release(visit)
            self._situation = abandoned(self._situation, visit.ticket, self._clock.monotonic())
            self._wake()

    def _release(self, visit: _Visit) -> None:
        self._handshaking.pop(visit.ticket, None)

    def _with_places(self, now: float) -> Situation:
        """The situation with the handshakes of this moment, those that hang left out."""
        busy = [began for began in self._handshaking.values() if now < began + self._limits.lease]
        free_at = min(busy) + self._limits.lease if busy else inf
        return replace(self._situation, handshaking=len(busy), place_free_at=free_at)

    def _wake(self) -> None:
        """With the lock held: wake those whose turn it may be, in the order in which they came."""
        if not self._waiting:
            return
        up = self._situation.state is GateState.UP
        busy = self._with_places(self._clock.monotonic()).handshaking if up else 0
        free = self._limits.handshakes - busy if up else 1
        for ticket in sorted(self._waiting)[: max(0, free)]:
            self._waiting[ticket].event.set()

    def _down_for(self, now: float) -> float:
        return 0.0 if self._situation.state is GateState.UP else now - self._situation.down_since

    def _refusal(self, kind: type[GateClosed], visit: _Visit, now: float) -> GateClosed:
        return kind(
            waited=now - visit.began,
            waiting=len(self._waiting),
            attempts=visit.attempts,
            failures=self._situation.failures,
            down_for=self._down_for(now),
            last_error=visit.own_error or self._last_error,
        )


_gates: dict[Hashable, Gate] = {}
# Keeps two threads from making two gates for one server, each of which would then send its own prober.
_gates_lock = threading.Lock()


def gate_for(key: Hashable, make: Callable[[], Gate] = Gate) -> Gate:
    """The process's gate for a server's address.

    Args:
        key: the address.
        make: makes the gate when it is first asked for; whoever asks first sets its limits.
    """
    with _gates_lock:
        gate = _gates.get(key)
        if gate is None:
            gate = _gates[key] = make()
        return gate


def reset_after_fork() -> None:
    """In the child of a fork: reset every gate."""
    global _gates_lock  # noqa: PLW0603 - the parent's lock may be held by a thread that doesn't exist here
    _gates_lock = threading.Lock()
    for gate in _gates.values():
        gate.reset_after_fork()
