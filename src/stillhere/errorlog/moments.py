"""Times as logs write them, read into UTC. What is no time is ``None``, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

__all__ = ["hour_of", "moment", "moment_without_year"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ]([ \d]\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?\Z", re.ASCII
)
_SHORT = re.compile(r"(\d\d)(\d\d)(\d\d) ([ \d]\d):(\d\d):(\d\d)\Z", re.ASCII)
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


@lru_cache(4096)
def hour_of(text: str, zone: tzinfo = UTC) -> datetime | None:
    """The start of an hour of the log's own clock, in UTC.

    Args:
        text: the time down to the hour and the zone, if there is one: ``2024-01-31T12+02:00``, ``240131  9``.
        zone: where it is taken to be local, if it says nothing.
    """
    short = re.match(r"\d{6} ", text)
    end = len("240131  9") if short else len("2024-01-31T12")
    return moment(f"{text[:end]}:00:00{text[end:]}", zone)


@lru_cache(256)
def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    if name in {"Z", "UTC"}:
        return UTC
    offset = timedelta(hours=int(name[1:3]), minutes=int(name[-2:]))
    return timezone(-offset if name[0] == "-" else offset)
