"""The lifecycle of a logical connection."""

from __future__ import annotations

from enum import Enum

__all__ = ["GONE", "LinkState", "may_follow"]

#: Why the watchdog gives a statement up when the server ended its thread before it did.
GONE = "the server no longer has the thread"


class LinkState(Enum):
    """Where a logical connection stands."""

    OPENING = "its physical connection is being opened"
    READY = "its physical connection is believed good"
    DETACHED = "no physical connection; the next statement opens one, and nothing is lost by it"
    LOST = "a transaction was lost with its physical connection; only ROLLBACK and close are accepted"
    CLOSED = "closed by the application"


_FOLLOWERS: dict[LinkState, frozenset[LinkState]] = {
    LinkState.OPENING: frozenset({LinkState.READY, LinkState.DETACHED, LinkState.LOST, LinkState.CLOSED}),
    LinkState.READY: frozenset({LinkState.OPENING, LinkState.DETACHED, LinkState.LOST, LinkState.CLOSED}),
    LinkState.DETACHED: frozenset({LinkState.OPENING, LinkState.LOST, LinkState.CLOSED}),
    # Only ROLLBACK leads out of LOST, and it needs no server: the server has rolled back already.
    LinkState.LOST: frozenset({LinkState.DETACHED, LinkState.CLOSED}),
    LinkState.CLOSED: frozenset(),
}


def may_follow(now: LinkState, then: LinkState) -> bool:
    """Whether a logical connection may pass from ``now`` to ``then``; staying is always allowed."""
    return now is then or then in _FOLLOWERS[now]
