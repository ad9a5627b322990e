"""Lines into entries, one after the other: the exact reader, which the fast one must agree with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.formats import Clock, Line, read_line
from stillhere.errorlog.messages import entry_of, harmless, shown
from stillhere.errorlog.source import LINE_LIMIT, Readable, opened
from stillhere.errorlog.system import system_entry
from stillhere.errors import ConfigurationError

__all__ = ["Reading", "parse"]

_DUMP_LINES = 2000
_BLANKS = " \t\r\v\f"
_FRAMES = 6
_QUERY_LIMIT = 2000
_RESTATED = "MY-013951"  # MySQL 9 writes a crash's dump again, line by line, when it starts next

_FRAME = re.compile(r" ?#\d+ +0x[0-9a-f]+ (?:in )?(?P<gnu>[^\s(]+)|\S{1,200}?\((?P<own>[\w:~<>]+)[^\[]{0,300}\[0x")
_OWN_FRAMES = re.compile(
    r"my_print_stacktrace|my_write_core|print_fatal_signal|handle_fatal_signal|restore_rt|<unknown>|^_?_?(?:gsignal|abort|raise)"
)
_QUERY = re.compile(r"Query \((?:0x)?[0-9a-fA-F]*\)(?:: ?(?P<text>.*)| is an invalid pointer)")
_CONNECTION = re.compile(r"Connection ID \(thread ID\): (?P<id>\d{1,20})")
_STATUS = re.compile(r"Status: (?P<status>\w+)")
_EXPRESSION = re.compile(r"InnoDB: Failing assertion: (?P<text>.*)")


def parse(source: Readable, *, zone: tzinfo = UTC, until: datetime | None = None) -> Iterator[Entry]:
    """Every entry of a log, in the order of the log.

    A crash is one entry, at its first line, given when its dump has ended.

    Args:
        source: a file's path (``.gz`` and ``.zst`` are unpacked), or a stream of bytes.
        zone: where times are local that don't name their zone (MariaDB's, and 5.6's).
        until: about when the log ends, for lines whose time has no year; by default the file's last change, or now.

    Raises:
        OSError: the file can't be read.
        ConfigurationError: it can't be unpacked, or not to its end; the entries before come first.
    """
    with opened(source) as log:
        reading = Reading(Clock(zone=zone, until=until or log.until))
        number = 0
        for block in log.blocks():
            for raw in block.split(b"\n")[1:]:
                number += 1
                yield from reading.read(raw, number)
        yield from reading.end()
        if log.damage:
            raise ConfigurationError(log.damage)


@dataclass(slots=True)
class _Crash:
    """A dump that is being read."""

    entry: Entry
    lines: int = 0
    query: str = ""
    in_query: bool = False
    connection: int = 0
    status: str = ""
    failed: str = ""
    frames: list[str] = field(default_factory=list)


class Reading:
    """Takes lines in turn and gives entries; holds what it must know of the lines before.

    Attributes:
        unknown: lines of no known format so far.
        line: the last line, taken apart; ``None`` where it had no format.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._crash: _Crash | None = None
        self._last_dump: tuple[datetime | None, str] | None = None
        self._heard_before = False
        self.unknown = 0
        self.line: Line | None = None

    @property
    def in_dump(self) -> bool:
        """Whether the next line may belong to a crash's dump."""
        return self._crash is not None

    def read(self, raw: bytes, number: int) -> Iterator[Entry]:
        """The entries that this line, as it stands in the log, completes."""
        text = raw[:LINE_LIMIT].decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r")
        self.line = read_line(text, self._clock)
        if self.line is not None:
            yield from self.take(self.line, number)
        else:
            yield from self._unheaded(text, known=False)

    def take(self, line: Line, number: int) -> Iterator[Entry]:
        """The entries that this line, taken apart, completes."""
        if line.code == _RESTATED:
            yield from self._restated(line, number)
            return
        self._heard_before = False
        entry = self._entry(line, number)
        if entry is None:
            if line.headed:
                yield from self.end()
            else:
                yield from self._unheaded(line.message, known=True)
        elif entry.kind is Kind.CRASH and not line.source.program.startswith("systemd"):
            yield from self._begin(entry, line)
        else:
            yield from self.end()
            yield entry

    def end(self) -> Iterator[Entry]:
        """The entry of a dump that ends here."""
        crash, self._crash = self._crash, None
        if crash is not None:
            yield _finished(crash)

    def _entry(self, line: Line, number: int) -> Entry | None:
        if line.headed:
            return entry_of(line, number)
        if entry := system_entry(line, number):
            return entry
        # Under a service manager, MySQL 8's syslog sink and a dump's first line come without the server's head.
        return entry_of(line, number) if line.source.server else None

    def _restated(self, line: Line, number: int) -> Iterator[Entry]:
        """A line of an earlier crash's dump, which MySQL 9 writes down again when it starts next."""
        inner = read_line(line.message, self._clock)
        entry = entry_of(inner, number) if inner is not None else None
        if inner is None or entry is None or entry.kind is not Kind.CRASH:
            if not self._heard_before:
                yield from self._unheaded(line.message, known=True)
            return
        self._heard_before = (inner.at, inner.message) == self._last_dump
        if not self._heard_before:
            yield from self._begin(replace(entry, severity=line.severity, code=line.code), inner)

    def _begin(self, entry: Entry, line: Line) -> Iterator[Entry]:
        crash = self._crash
        self._last_dump = (line.at, line.message)
        if crash is not None and crash.entry.signal == 0:
            # The assertion that failed, then the signal by which the server ends itself: one crash.
            crash.entry = replace(crash.entry, signal=entry.signal)
            crash.lines = 0
            return
        yield from self.end()
        self._crash = _Crash(entry)

    def _unheaded(self, text: str, *, known: bool) -> Iterator[Entry]:
        if self._crash is not None and self._crash.lines >= _DUMP_LINES:
            yield from self.end()
        if self._crash is not None:
            self._crash.lines += 1
            _take(self._crash, text)
        elif not known and text.strip(_BLANKS) and not harmless(text):
            self.unknown += 1


def _take(crash: _Crash, text: str) -> None:
    if found := _CONNECTION.match(text):
        crash.connection, crash.in_query = int(found["id"]), False
    elif crash.in_query:
        crash.query = f"{crash.query} {text}"[:_QUERY_LIMIT]
    elif found := _QUERY.match(text):
        crash.query, crash.in_query = (found["text"] or "")[:_QUERY_LIMIT], True
    elif found := _STATUS.match(text):
        crash.status = found["status"]
    elif found := _EXPRESSION.match(text):
        crash.failed = found["text"]
    elif len(crash.frames) < _FRAMES and (found := _FRAME.match(text)):
        name = found["gnu"] or found["own"]
        if not _OWN_FRAMES.search(name):
            crash.frames.append(name)


def _finished(crash: _Crash) -> Entry:
    entry = crash.entry
    query = shown(crash.query)
    added = [
        f"connection {crash.connection}" if crash.connection else "",
        f"status {crash.status}" if crash.status else "",
        f"failed: {crash.failed}" if crash.failed else "",
        f"in {' < '.join(crash.frames)}" if crash.frames else "",
        f"query: {query}" if query else "",
    ]
    text = "; ".join([entry.text.rstrip(" ;"), *filter(None, added)])
    return replace(entry, thread_id=crash.connection or entry.thread_id, reason=query, text=shown(text))
