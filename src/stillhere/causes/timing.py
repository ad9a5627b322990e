"""When a connection can have been cut, and whether the server was started again meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stillhere.causes.observations import Observations
from stillhere.causes.wording import moment, seconds, utc

__all__ = ["Restart", "Window", "restart_of"]

_SLACK = 2.0
"""Seconds by which the clocks of a client and its server, and a log's whole seconds, are allowed to differ."""
_RESTARTING = 900.0
"""Seconds that a start may come after the loss and still be that of the same restart."""


@dataclass(frozen=True, slots=True)
class Window:
    """When the connection can have been cut.

    Attributes:
        start: when it was last known to live.
        end: when it was found dead.
        exact: whether `start` was measured, so that what happened outside can't be the cause.
    """

    start: datetime
    end: datetime
    exact: bool

    def has(self, at: datetime) -> bool:
        """Whether a moment lies in it, give or take the clocks' difference."""
        slack = timedelta(seconds=_SLACK)
        return self.start - slack <= utc(at) <= self.end + slack


@dataclass(frozen=True, slots=True)
class Restart:
    """Whether the server was started again since the connection last lived, and how that is known."""

    happened: bool | None = None
    fact: str = ""
    source: str = ""


def restart_of(seen: Observations, window: Window | None) -> Restart:
    """Whether the server was started again, as far as anything tells: the collector, the uptime, or a look at it now.

    Args:
        seen: what is known of the loss.
        window: when the connection can have been cut; ``None`` where that isn't known.
    """
    server, age = seen.server, seen.loss.age
    if server.same is False:
        return Restart()
    uptime = "" if server.uptime is None else f" (uptime {seconds(server.uptime)})"
    if server.restarted is not None:
        fact = "the server was started again since" if server.restarted else "the server was not started again"
        return Restart(server.restarted, fact + uptime, "uptime")
    if server.uptime is not None and age is not None:
        younger = server.uptime + _SLACK < age
        fact = "is younger than" if younger else "is as old as"
        return Restart(younger, f"the server{uptime} {fact} the connection ({seconds(age)})", "uptime")
    return _by_snapshot(seen, window)


def _by_snapshot(seen: Observations, window: Window | None) -> Restart:
    uptime = seen.snapshot.count("uptime") if seen.snapshot else None
    if seen.snapshot is None or uptime is None or window is None or not window.exact:
        return Restart()
    started = utc(seen.snapshot.taken_at) - timedelta(seconds=uptime)
    fact, source = f"the server that answers now was started at {moment(started)}", "SHOW GLOBAL STATUS"
    if started < window.start - timedelta(seconds=_SLACK):
        return Restart(happened=False, fact=f"{fact}, before the connection last lived", source=source)
    near = started <= window.end + timedelta(seconds=_RESTARTING)
    return Restart(happened=True, fact=fact, source=source) if near else Restart()
