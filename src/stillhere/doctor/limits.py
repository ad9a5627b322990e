"""The shortest idle limit that is known between an engine and its server."""

from __future__ import annotations

import math
from typing import NamedTuple

from stillhere.doctor.case import Case
from stillhere.doctor.engines import EngineFacts

__all__ = [
    "RESERVED",
    "Limit",
    "demand",
    "effective_wait_timeout",
    "recycling",
    "roomy_connections",
    "roomy_packet",
    "safe_recycle",
    "server_limit",
    "shortest_limit",
]


class Limit(NamedTuple):
    """An idle limit in seconds, what sets it, and where that was read."""

    seconds: float
    name: str
    source: str


def effective_wait_timeout(case: Case, engine: EngineFacts) -> Limit:
    """The server's own limit for the engine's sessions."""
    if engine.own_wait_timeout is not None:
        return Limit(engine.own_wait_timeout, "the wait_timeout of its init_command", f"engine {engine.name}")
    if engine.interactive:
        return Limit(case.number("interactive_timeout") or 0.0, "interactive_timeout", "SHOW GLOBAL VARIABLES")
    # What a login really got, after init_connect and whatever else; the driver that asked is never interactive.
    session = case.snapshot.session_variables.get("wait_timeout", "")
    if session.isdecimal() and session != case.snapshot.variables.get("wait_timeout"):
        return Limit(float(session), "the session's wait_timeout", "SHOW SESSION VARIABLES")
    return Limit(case.number("wait_timeout") or 0.0, "wait_timeout", "SHOW GLOBAL VARIABLES")


def shortest_limit(case: Case, engine: EngineFacts) -> Limit:
    """The limit that strikes first: the server's, a told one, a measured one."""
    limits = [effective_wait_timeout(case, engine)]
    if case.settings.hop_idle is not None:
        limits.append(Limit(case.settings.hop_idle, "the idle limit on the way", "--hop-idle"))
    if case.idle is not None and case.idle.ended is not None:
        limits.append(Limit(case.idle.ended, "the measured idle limit", "--measure-idle"))
    return min(limits)


def roomy_packet(case: Case) -> int:
    """A ``max_allowed_packet`` that is larger than the present one: twice as much, the family's default at least."""
    default = 16 * 1024**2 if case.mariadb else 64 * 1024**2
    present = int(case.number("max_allowed_packet") or 0)
    return min(1024**3, max(default, 2 * present))


def demand(case: Case) -> int:
    """How many connections the known engines may hold at once, over all their processes; those without limit as 0."""
    return sum(engine.most or 0 for engine in case.engines) * case.settings.processes


def roomy_connections(case: Case) -> int:
    """A ``max_connections`` with room for what was seen and for what the engines may ask, in full tens."""
    present = int(case.number("max_connections") or 0)
    used = max(case.count("max_used_connections"), case.count("threads_connected"))
    wanted = max(present * 1.5, used * 1.5, demand(case) * 1.2 + RESERVED)
    return min(MOST_CONNECTIONS, math.ceil(wanted / 10) * 10)


MOST_CONNECTIONS = 100_000
"""The most that either server takes for ``max_connections``."""
RESERVED = 10
"""Connections to leave for people, monitoring and replication."""


def server_limit(case: Case) -> Limit:
    """The limit that strikes first for whoever sets nothing of their own."""
    return shortest_limit(case, EngineFacts(name=""))


def safe_recycle(case: Case, limit: Limit) -> int:
    """A ``pool_recycle`` in seconds that stays below a limit; 0 where it is too short for any."""
    lasted = case.idle.lasted if case.idle is not None and case.idle.ended is not None else limit.seconds
    return int(min(limit.seconds * 0.9, lasted if lasted > 0 else limit.seconds / 2))


def recycling(seconds: int) -> tuple[str, ...]:
    """The code for it; none for 0."""
    return (f"create_engine(url, pool_recycle={seconds})",) if seconds else ()
