"""Incidents of one cause on one server, summed up. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stillhere.causes.engine import UNKNOWN
from stillhere.events import Incident

__all__ = ["Group", "grouped"]

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What happened to a server's connections for one reason.

    Attributes:
        server: address.
        cause: name of the cause.
        count: how many incidents.
        last_hour: how many of them within the last hour.
        first: when the first was.
        last: when the last was.
        sentence: the last one's.
        done: what came of them, the most frequent first, with how many.
        remedy: what to do, as the last one has it.
        commands: the same.
        collect: what would settle an unknown cause, as the last one has it.
    """

    server: str
    cause: str
    count: int
    last_hour: int
    first: datetime
    last: datetime
    sentence: str
    done: tuple[tuple[str, int], ...]
    remedy: str = ""
    commands: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether no cause could be named."""
        return self.cause == UNKNOWN


def grouped(incidents: Iterable[Incident], now: datetime) -> list[Group]:
    """The groups, the largest first.

    Args:
        incidents: in any order.
        now: the end of the last hour, aware.
    """
    found: dict[tuple[str, str], list[Incident]] = {}
    for one in incidents:
        found.setdefault((one.server, one.cause), []).append(one)
    groups = [_group(sorted(members, key=lambda one: one.at), now) for members in found.values()]
    return sorted(groups, key=lambda group: (-group.count, group.server, group.cause))


def _group(members: list[Incident], now: datetime) -> Group:
    last = members[-1]
    return Group(
        server=last.server,
        cause=last.cause,
        count=len(members),
        last_hour=sum(1 for one in members if now - one.at <= _HOUR),
        first=members[0].at,
        last=last.at,
        sentence=last.sentence,
        done=tuple(Counter(one.done for one in members).most_common()),
        remedy=last.remedy,
        commands=last.commands,
        collect=last.collect,
    )
