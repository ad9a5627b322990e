"""Times as logs write them, read into UTC. What is no time is ``None``, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

__all__ = ["hour_of", "hour_part", "moment", "moment_without_year"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ]([ \d]\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?\Z", re.ASCII
)
_SHORT = re.compile(r"(\d\d)(\d\d)(\d\d) ([ \d]\d):(\d\d):(\d\d)\Z", re.ASCII)
_HOUR, _SHORT_HOUR = len("2024-01-31T12"), len("240131  9")
_ZONE_AT_END = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)\Z", re.ASCII)
_SLACK = timedelta(days=2)  # clocks and zones differ; a line from further ahead is from the year before


def moment(text: str, zone: tzinfo = UTC) -> datetime | None:
    """The time that a server, a container or a service manager wrote, in UTC.

    Args:
        text: ``2024-01-31T12:00:00.123456Z``, ``2024-01-31  9:00:00``, ``240131  9:00:00`` or ``…+02:00``.
        zone: where it is taken to be local, if it says nothing.
    """
    if found := _DATE.match(text):
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        fraction = int((found[7] or "0").ljust(6, "0")[:6])
        named = found[8]
    elif found := _SHORT.match(text):
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        year, fraction, named = year + 2000, 0, None
    else:
        return None
    try:
        at = datetime(year, month, day, hour, minute, min(second, 59), fraction, tzinfo=_zone(named) or zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_without_year(text: str, until: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The time of a line such as ``Jan  1 12:00:00``, in UTC.

    Args:
        text: month, day and time; fractions of a second may follow.
        until: about when the log ends: the year is the latest that doesn't lie beyond it.
        zone: where it is local.
    """
    name, _, rest = text.partition(" ")
    day, _, time = rest.strip().partition(" ")
    if name not in _MONTHS or not day.isascii() or not day.isdigit():
        return None
    for year in (until.year + 1, until.year, until.year - 1, until.year - 2, until.year - 3, until.year - 4):
        at = moment(f"{year:04}-{_MONTHS.index(name) + 1:02}-{int(day):02} {time}", zone)
        if at is not None and at <= until + _SLACK:
            return at
    return None  # the 29th of February has years that lack it


def hour_part(text: str) -> tuple[str, str]:
    """A time down to its hour, and the zone that it names: what `hour_of` takes."""
    end = _SHORT_HOUR if text[4:5] != "-" else _HOUR
    zone = _ZONE_AT_END.search(text, end)
    return text[:end], zone[0] if zone else ""


@lru_cache(4096)
def hour_of(text: str, named: str, zone: tzinfo = UTC) -> datetime | None:
    """The start of an hour of the log's own clock, in UTC.

    Args:
        text: the time down to the hour: ``2024-01-31T12``, ``240131  9``.
        named: the zone that the time names; may be empty.
        zone: where it is taken to be local then.
    """
    return moment(f"{text}:00:00{named}", zone)


@lru_cache(256)
def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    if name in {"Z", "UTC"}:
        return UTC
    offset = timedelta(hours=int(name[1:3]), minutes=int(name[-2:]))
    return timezone(-offset if name[0] == "-" else offset)
