"""Rows of ``performance_schema.error_log`` (MySQL 8.0.22 and later) as entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from stillhere.errorlog.entry import Entry
from stillhere.errorlog.formats import Clock, Line
from stillhere.errorlog.moments import moment
from stillhere.errorlog.parser import Reading

__all__ = ["COLUMNS", "entries_from_rows"]

COLUMNS = ("LOGGED", "THREAD_ID", "PRIO", "ERROR_CODE", "SUBSYSTEM", "DATA")
"""What to select, in this order: ``SELECT LOGGED, … FROM performance_schema.error_log ORDER BY LOGGED``."""


def entries_from_rows(rows: Iterable[Sequence[object]], *, zone: tzinfo = UTC) -> Iterator[Entry]:
    """The entries of these rows, as `parse` would give them for the same log; their `line` is 0.

    Args:
        rows: with the columns of `COLUMNS`, in the order of the log.
        zone: the session's time zone, in which the server gives ``LOGGED``.
    """
    reading = Reading(Clock(zone=zone))
    for row in rows:
        logged, thread, priority, code, _, data = (*row, *([None] * len(COLUMNS)))[: len(COLUMNS)]
        severity = _text(priority)
        line = Line(
            message=_text(data),
            headed=True,
            style="error_log table",
            at=_at(logged, zone),
            thread_id=thread if isinstance(thread, int) else 0,
            severity="ERROR" if severity == "Error" else severity,  # as in the file
            code=_text(code),
        )
        yield from reading.take(line, 0)
    yield from reading.end()


def _at(logged: object, zone: tzinfo) -> datetime | None:
    if isinstance(logged, datetime):
        return (logged if logged.tzinfo else logged.replace(tzinfo=zone)).astimezone(UTC)
    return moment(_text(logged), zone)


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
