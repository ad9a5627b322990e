"""Time zones as people write them."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stillhere.errors import ConfigurationError

__all__ = ["zone_of"]

_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?(\d\d))?\Z")
_MOST = timedelta(hours=24)


def zone_of(text: str) -> tzinfo:
    """A zone by its name, such as ``Europe/Berlin``, or by what it is ahead of UTC, such as ``+02:00``.

    Raises:
        ConfigurationError: there is no such zone.
    """
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if found := _OFFSET.match(text):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        if offset < _MOST:
            return timezone(-offset if found[1] == "-" else offset)
    else:
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ConfigurationError(f"there is no time zone {text!r}; write one such as Europe/Berlin, +02:00 or UTC")
