"""Idle sessions that end while one looks: the measurement for servers that count no cuts (MariaDB)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stillhere.survey.snapshot import Session
from stillhere.tune.measured import Seen

__all__ = ["Look", "cuts_between", "watch"]

_SLACK = 1.5  # seconds: the process list counts whole ones, and a look comes every half


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The process list at one moment.

    Attributes:
        at: seconds on a clock that only goes forward.
        sessions: all sessions but the one that asks.
        aborted: ``Aborted_clients``.
    """

    at: float
    sessions: tuple[Session, ...]
    aborted: int


def watch(look: Callable[[], Look], seconds: float, pause: Callable[[float], None]) -> tuple[Look, ...]:
    """Look every half a second for so many seconds.

    Args:
        look: asks the server.
        seconds: for how long.
        pause: waits.
    """
    looks = [look()]
    while looks[-1].at - looks[0].at < seconds:
        pause(0.5)
        looks.append(look())
    return tuple(looks)


def cuts_between(looks: Sequence[Look], limits: Mapping[str, float]) -> Seen:
    """Sessions that were idle as long as a limit and then were gone.

    A session that leaves in order vanishes too, but doesn't count among the server's aborted clients: there can be
    no more cuts than those grew by.

    Args:
        looks: in order of time.
        limits: the server's limits for idle sessions in seconds, by the setting's name.
    """
    span = looks[-1].at - looks[0].at
    vanished: list[tuple[str, float]] = []
    for before, after in pairwise(looks):
        left = {session.id for session in after.sessions}
        for session in before.sessions:
            idle = session.seconds + after.at - before.at
            if session.idle and session.id not in left and any(_reached(idle, one) for one in limits.values()):
                vanished.append((session.user, session.seconds))
    number = max(0, min(len(vanished), looks[-1].aborted - looks[0].aborted))
    whose = Counter(user for user, _ in vanished) if number else Counter()
    return Seen(
        number=number,
        source=f"process list and Aborted_clients, watched for {span:.0f} s",
        since=f"in {span:.0f} s",
        by=tuple(whose.most_common()),
        at=tuple(idle for _, idle in vanished) if number else (),
    )


def _reached(idle: float, limit: float) -> bool:
    return limit > 0 and limit - _SLACK <= idle <= limit + 2 * _SLACK
