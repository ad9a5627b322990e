"""The causes that an arm named for its lost connections, against the one that was brought about."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from stillhere.causes.engine import UNKNOWN
from stillhere.causes.incidents import Store
from stillhere.events import Incident

__all__ = ["Naming", "naming", "told"]

_QUIET = 1.5  # seconds without another incident, after which all are taken to have been told
_LONGEST = 5.0
_STEP = 0.1


@dataclass(frozen=True)
class Naming:
    """What an arm said of why it lost connections.

    Attributes:
        causes: name to number of incidents, ``"unknown"`` among them; the most frequent first.
        cause: the most frequent name; ``"unknown"`` where no incident has one, empty where there is no incident.
        says: a sentence of each name.
    """

    causes: Mapping[str, int] = field(default_factory=dict)
    cause: str = ""
    says: Mapping[str, str] = field(default_factory=dict)

    def wrong(self, right: frozenset[str]) -> dict[str, int]:
        """The names that are not right, with their numbers; an unknown cause is no name."""
        return {name: count for name, count in self.causes.items() if name not in right and name != UNKNOWN}


def naming(incidents: Iterable[Incident]) -> Naming:
    """Sum up. Of two names that are equally frequent the surer one comes first."""
    incidents = list(incidents)
    counts = Counter(one.cause for one in incidents)
    sure: Counter[str] = Counter()
    for one in incidents:
        sure[one.cause] += round(one.certainty * 100)
    ranked = sorted(counts, key=lambda name: (-counts[name], -sure[name], name))
    named = [name for name in ranked if name != UNKNOWN]
    return Naming(
        causes={name: counts[name] for name in ranked},
        cause=named[0] if named else ranked[0] if ranked else "",
        says={one.cause: one.sentence for one in incidents},
    )


def told(states: Mapping[str, Path], servers: Mapping[str, str], since: datetime) -> dict[str, list[Incident]]:
    """What each arm told, once nothing more has come for a while.

    Args:
        since: of what was met then or later; ports are used again.
        states: the directory of each arm.
        servers: the address by which each arm reached its server.
    """
    begun = last_change = time.monotonic()
    found: dict[str, list[Incident]] = {}
    while time.monotonic() - last_change < _QUIET and time.monotonic() - begun < _LONGEST:
        now = {
            arm: Store(path / "incidents.sqlite3").read(since=since, server=servers[arm])
            for arm, path in states.items()
        }
        if now != found:
            found, last_change = now, time.monotonic()
        time.sleep(_STEP)
    return found
