"""Several logs' summaries added up to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from stillhere.causes.windows import joined_entries, joined_lives
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import AbortGroup, Aborts, Count, Summary

__all__ = ["added_up"]


def added_up(summaries: Sequence[Summary]) -> Summary:
    """One summary for all of them: counts are added, lives joined, tables merged."""
    if len(summaries) == 1:
        return summaries[0]
    counts: Counter[Kind] = Counter()
    for one in summaries:
        counts.update(one.counts)
    firsts = [one.first for one in summaries if one.first is not None]
    lasts = [one.last for one in summaries if one.last is not None]
    return Summary(
        lines=sum(one.lines for one in summaries),
        size=sum(one.size for one in summaries),
        unknown=sum(one.unknown for one in summaries),
        formats=tuple(dict.fromkeys(name for one in summaries for name in one.formats)),
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        lives=joined_lives(summaries),
        dropped_lives=sum(one.dropped_lives for one in summaries),
        counts=dict(counts),
        aborts=_aborts([one.aborts for one in summaries]),
        noise=tuple(noise for one in summaries for noise in one.noise),
        entries=joined_entries(summaries),
        omitted=sum(one.omitted for one in summaries),
    )


def _aborts(parts: Sequence[Aborts]) -> Aborts:
    hours: Counter[datetime] = Counter()
    for part in parts:
        for hour, count in part.by_hour:
            hours[hour] += count
    return Aborts(
        total=sum(part.total for part in parts),
        groups=_groups(group for part in parts for group in part.groups),
        others=sum(part.others for part in parts),
        by_user=_table(part.by_user for part in parts),
        other_users=sum(part.other_users for part in parts),
        by_host=_table(part.by_host for part in parts),
        other_hosts=sum(part.other_hosts for part in parts),
        by_reason=_table(part.by_reason for part in parts),
        other_reasons=sum(part.other_reasons for part in parts),
        by_hour=tuple(sorted(hours.items())),
        other_hours=sum(part.other_hours for part in parts),
    )


def _table(tables: Iterable[tuple[Count, ...]]) -> tuple[Count, ...]:
    added: Counter[str] = Counter()
    for table in tables:
        for one in table:
            added[one.name] += one.count
    return tuple(Count(name, count) for name, count in added.most_common())


def _groups(groups: Iterable[AbortGroup]) -> tuple[AbortGroup, ...]:
    merged: dict[tuple[Kind, str, str, str], AbortGroup] = {}
    for group in groups:
        key = (group.kind, group.user, group.host, group.reason)
        before = merged.get(key)
        merged[key] = group if before is None else _both(before, group)
    return tuple(sorted(merged.values(), key=lambda group: -group.count))


def _both(one: AbortGroup, other: AbortGroup) -> AbortGroup:
    hours = [hour for hour in (one.first_hour, one.last_hour, other.first_hour, other.last_hour) if hour is not None]
    return AbortGroup(
        kind=one.kind,
        user=one.user,
        host=one.host,
        reason=one.reason,
        count=one.count + other.count,
        first_hour=min(hours, default=None),
        last_hour=max(hours, default=None),
    )
