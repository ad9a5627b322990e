"""How the rules write numbers, moments and sources."""

from __future__ import annotations

from datetime import UTC, datetime

from stillhere.errorlog.entry import Entry

__all__ = ["bytes_of", "moment", "seconds", "source_of", "times"]

_KIB, _MIB = 1024, 1024**2
_SHORT = 10
_BRIEF = 0.1


def seconds(length: float) -> str:
    """A length of time: ``"20 ms"``, ``"1.6 s"`` below ten seconds, ``"612 s"`` above."""
    if 0 < length < _BRIEF:
        return f"{length * 1000:.0f} ms"
    return f"{length:.0f} s" if length >= _SHORT or length == int(length) else f"{length:.1f} s"


def bytes_of(size: float) -> str:
    """A size: ``"312 bytes"``, ``"16 KiB"``, ``"64.0 MiB (67,108,864 bytes)"``."""
    if size >= _MIB:
        return f"{size / _MIB:.1f} MiB ({size:,.0f} bytes)"
    return f"{size / _KIB:.0f} KiB" if size >= 10 * _KIB else f"{size:.0f} bytes"


def times(count: int) -> str:
    """``"once"`` or ``"7 times"``."""
    return "once" if count == 1 else f"{count:,} times"


def moment(at: datetime) -> str:
    """A moment, in UTC and to the second."""
    return f"{utc(at):%Y-%m-%d %H:%M:%S} UTC"


def utc(at: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken for UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def source_of(entry: Entry) -> str:
    """Where an entry was read."""
    return f"error log, line {entry.line}" if entry.line else "error log"
