"""Who may connect now, who probes, who waits and until when: pure decisions over frozen records.

`gate` carries them out with threads; a twin for asyncio carries out the same ones.

The rules. While the server is up, so many handshakes at a time, first come first served. Once one of them
fails in a way that waiting may mend, the gate is down: the visitor that came first probes, with jittered
backoff that grows with the outage; all others wait, each until its own deadline. A probe that succeeds opens
the gate, and they go through as handshakes. The probe is a lease: it ends when the prober leaves, however it
leaves, and also when it hangs for longer than `Limits.lease`, so that a black hole doesn't keep the server's
return from everybody else. The late prober's success still counts; its failure no longer does. A handshake
that hangs for longer than the lease gives up its place likewise: one more may begin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import inf

__all__ = [
    "TRANSITIONS",
    "Decision",
    "GateState",
    "Limits",
    "Role",
    "Situation",
    "Visitor",
    "Wait",
    "abandoned",
    "decide",
    "failed",
    "probing",
    "succeeded",
]

_SHARE = 0.2


class GateState(Enum):
    """What is known of the server's address."""

    UP = "up"
    """Not known to be down."""
    DOWN = "down"
    """An attempt failed, and nobody is trying at this moment."""
    PROBING = "probing"
    """Still down, and one visitor holds the lease to try."""


TRANSITIONS = frozenset(
    {
        (GateState.UP, GateState.DOWN),  # a handshake failed
        (GateState.DOWN, GateState.PROBING),  # the first visitor takes the lease
        (GateState.PROBING, GateState.PROBING),  # the lease ran out and the next visitor took it
        (GateState.PROBING, GateState.DOWN),  # the probe failed, or its holder left
        (GateState.PROBING, GateState.UP),  # the probe succeeded
        (GateState.DOWN, GateState.UP),  # a probe whose lease had run out succeeded after all
    }
)


class Role(Enum):
    """How a visitor attempts."""

    HANDSHAKE = "handshake"
    PROBE = "probe"


class Decision(Enum):
    """What a visitor does now, unless it is to `Wait`."""

    HANDSHAKE = Role.HANDSHAKE
    PROBE = Role.PROBE
    TIMEOUT = "its deadline has passed"
    FULL = "too many wait already"


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until that moment, or until something changes."""

    until: float


@dataclass(frozen=True, slots=True)
class Limits:
    """A gate's settings, in seconds and heads.

    Attributes:
        min_backoff: between the first failure and the first probe.
        max_backoff: the most between two probes, which are a fifth of the outage so far apart; each wait is
            jittered between half and all of it.
        handshakes: attempts at a time while the server is up.
        lease: how long a probe or a handshake may hang before another visitor may try as well.
    """

    min_backoff: float = 0.05
    max_backoff: float = 1.0
    handshakes: int = 4
    lease: float = 2.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about the server at one moment.

    Attributes:
        state: see there.
        handshaking: handshakes under way, without those that hang.
        place_free_at: when the oldest of them will be taken to hang.
        backoff: the wait before the next probe, before jitter.
        probe_due: when the next probe may begin.
        lease_until: when the running probe's lease ends.
        holder: the ticket of the visitor with the lease.
        epoch: counts returns of the server: what began in an earlier epoch says nothing about this one.
        down_since: when it went down; meaningless while up.
        failures: attempts that failed since then.
    """

    state: GateState = GateState.UP
    handshaking: int = 0
    place_free_at: float = inf
    backoff: float = 0.0
    probe_due: float = 0.0
    lease_until: float = 0.0
    holder: int | None = None
    epoch: int = 0
    down_since: float = 0.0
    failures: int = 0

    def to(self, state: GateState) -> Situation:
        """The same in another state; an illegal step is a bug here, and said aloud."""
        if (self.state, state) not in TRANSITIONS:
            raise AssertionError(f"a gate can't go from {self.state.value} to {state.value}")
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class Visitor:
    """One caller at one moment.

    Attributes:
        rank: how many that came earlier are waiting.
        deadline: its own.
        attempts: how often it has tried.
        max_waiting: with that many before it while the server is down, it is turned away.
    """

    rank: int
    deadline: float
    attempts: int
    max_waiting: int


def decide(situation: Situation, visitor: Visitor, limits: Limits, now: float) -> Decision | Wait:
    """What this visitor does now.

    A visitor whose deadline has passed already may try once, where it need not wait: without a ride-through
    somebody must still find out that the server is back.
    """
    in_time = now < visitor.deadline or visitor.attempts == 0
    wake = visitor.deadline
    if situation.state is GateState.UP:
        if visitor.rank < limits.handshakes - situation.handshaking and in_time:
            return Decision.HANDSHAKE
        if visitor.rank == 0:
            wake = min(wake, situation.place_free_at)
    else:
        due = situation.lease_until if situation.state is GateState.PROBING else situation.probe_due
        if visitor.rank == 0:
            if now >= due and in_time:
                return Decision.PROBE
            wake = min(wake, due)
        if visitor.rank >= visitor.max_waiting:
            return Decision.FULL
    return Decision.TIMEOUT if now >= visitor.deadline else Wait(wake)


def probing(situation: Situation, ticket: int, deadline: float, limits: Limits, now: float) -> Situation:
    """The lease is taken. It ends with its holder's own deadline at the latest, but not before it can try."""
    until = max(now + limits.min_backoff, min(now + limits.lease, deadline))
    return replace(situation.to(GateState.PROBING), holder=ticket, lease_until=until)


def failed(
    situation: Situation, role: Role, ticket: int, epoch: int, limits: Limits, now: float, jittered: float
) -> Situation:
    """An attempt failed in a way that waiting may mend.

    Args:
        situation: as it is now, not as it was when the attempt began.
        role: in which it was made.
        ticket: whose it was.
        epoch: in which it began.
        limits: the gate's.
        now: the moment.
        jittered: a factor between a half and one for the wait before the next probe.
    """
    if epoch != situation.epoch:
        return situation  # the server has been back since: old news
    if role is Role.HANDSHAKE and situation.state is GateState.UP:
        backoff = limits.min_backoff
        return replace(
            situation.to(GateState.DOWN),
            backoff=backoff,
            probe_due=now + backoff * jittered,
            down_since=now,
            failures=1,
        )
    counted = replace(situation, failures=situation.failures + 1)
    if role is Role.PROBE and situation.holder == ticket:
        # A share of the outage so far: however long it lasts, finding out that it is over adds as much at the most.
        backoff = min(limits.max_backoff, max(limits.min_backoff, _SHARE * (now - situation.down_since)))
        return replace(counted.to(GateState.DOWN), backoff=backoff, probe_due=now + backoff * jittered, holder=None)
    return counted


def succeeded(situation: Situation, role: Role, epoch: int) -> Situation:
    """An attempt succeeded. Only a probe opens the gate: a handshake may have got the last free place."""
    if role is Role.PROBE and epoch == situation.epoch and situation.state is not GateState.UP:
        return replace(situation.to(GateState.UP), holder=None, epoch=situation.epoch + 1)
    return situation


def abandoned(situation: Situation, ticket: int, now: float) -> Situation:
    """A visitor leaves. If it held the lease, the next one may probe at once: nothing was learned."""
    if situation.state is GateState.PROBING and situation.holder == ticket:
        return replace(situation.to(GateState.DOWN), holder=None, probe_due=now)
    return situation
