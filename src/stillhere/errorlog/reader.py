"""A whole log, however large, into one summary: by the block where it is ordinary, by the line where it isn't."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from stillhere.errorlog.entry import FREQUENT, LIFECYCLE, Entry, Kind
from stillhere.errorlog.formats import Clock, Line, read_line
from stillhere.errorlog.lives import Lives
from stillhere.errorlog.messages import Abort
from stillhere.errorlog.noise import NoiseWatch
from stillhere.errorlog.parser import Reading
from stillhere.errorlog.shapes import Shape, shape_of
from stillhere.errorlog.skim import Skimmed, abort_in, skim
from stillhere.errorlog.source import BLOCK, LINE_LIMIT, Log, Readable, opened, unpacked_head
from stillhere.errorlog.summary import Summary
from stillhere.errorlog.tally import AbortTally, Kept, Window
from stillhere.errors import ConfigurationError

__all__ = ["Summarising", "read", "sniff"]

_SNIFFED = 1 << 16
_GUESSED = 40  # lines that are looked at to find a block's shape
_VAGUE = 4  # of so many sorts of lines in a block, no more than one should have to be read; else another shape may fit
_PARTS = 12  # that a block is skimmed in, before the rest of it is read
_PENDING = 4000
_BEFORE_LOGIN = {Kind.UNAUTHENTICATED, Kind.ABORTED_CONNECT}
_Placed = tuple[int, bytes | Entry]
"""A line that is still to be read, or its entry, with its place in the block."""

_SIGNS_OF_LIFE = FREQUENT - {Kind.OTHER}


def read(
    source: Readable,
    *,
    zone: tzinfo = UTC,
    until: datetime | None = None,
    around: Window | None = None,
) -> Summary:
    """What a log says, in one pass and in constant memory.

    Args:
        source: a file's path (``.gz``, ``.bz2``, ``.xz`` and ``.zst`` are unpacked, whatever their names), or a stream
            of bytes.
        zone: where times are local that don't name their zone (MariaDB's, and 5.6's).
        until: about when the log ends, for lines whose time has no year; by default the file's last change, or now.
        around: from when to when all entries are to be kept, up to a bound; aware times.

    Raises:
        OSError: the file can't be read.
        ConfigurationError: it is packed in a way that this Python can't undo, or a time is not aware.
    """
    for time in (until, *(around or ())):
        if time is not None and time.tzinfo is None:
            raise ConfigurationError(f"{time.isoformat()} has no time zone: give an aware time")
    with opened(source) as log:
        return Summarising(Clock(zone=zone, until=until or log.until), around).summary(log)


def sniff(head: bytes) -> bool:
    """Whether a file that begins so looks like a server's error log, or a kernel's or service manager's.

    Args:
        head: its first bytes, some thousand of them, packed or not.
    """
    try:
        text = unpacked_head(head[:_SNIFFED])
    except (ConfigurationError, OSError):
        return False
    clock = Clock()
    for raw in text[:_SNIFFED].split(b"\n"):
        line = read_line(raw.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r"), clock)
        if line is None:
            continue
        program = line.source.program
        if line.headed or line.source.server or program == "kernel" or program.startswith("systemd"):
            return True
    return False


class Summarising:
    """One log on its way into a summary.

    Args:
        clock: how times are read.
        around: the window in which all entries are kept.
        fast: whether ordinary blocks are skimmed; the summary is the same without.
    """

    def __init__(self, clock: Clock, around: Window | None = None, *, fast: bool = True) -> None:
        self._clock = clock
        self._around = around
        self._fast = fast
        self._reading = Reading(clock)
        self._lives = Lives()
        self._kept = Kept(around)
        self._aborts = AbortTally()
        self._noise = NoiseWatch()
        self._formats: dict[tuple[tuple[str, ...], str], None] = {}
        self._shape: Shape | None = None
        self._lines = 0
        self._unknown = 0
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._pending: dict[tuple[datetime | None, Abort], int] = {}

    def summary(self, log: Log, size: int = BLOCK) -> Summary:
        """Take the whole log in."""
        for block in log.blocks(size):
            rest = block
            for _ in range(_PARTS):
                if not (rest and self._fast):
                    break
                rest = self._skim(rest)
            if rest:
                self._read(rest.split(b"\n")[1:])
        for entry in self._reading.end():
            self._take(entry, None)
        return self._result(log)

    def _read(self, lines: Sequence[bytes], *, while_in_dump: bool = False) -> int:
        """Lines, each for itself; how many were read."""
        reading = self._reading
        for place, raw in enumerate(lines):
            if while_in_dump and place and not reading.in_dump:
                self._lines += place
                return place
            for entry in reading.read(raw, self._lines + 1 + place):
                self._take(entry, reading.line)
            if reading.line is not None:
                self._seen(reading.line)
        self._lines += len(lines)
        return len(lines)

    def _seen(self, line: Line) -> None:
        self._formats.setdefault((line.wrapping, line.style))
        if line.at is not None:
            self._first = self._first or line.at
            self._last = line.at

    def _take(self, entry: Entry, line: Line | None, *, keep: bool = True) -> None:
        if keep:
            self._kept.take(entry)
        else:
            self._kept.count(entry.kind, 1)
        if entry.kind in LIFECYCLE:
            self._lives.take(entry)
        elif entry.kind in _SIGNS_OF_LIFE:
            self._lives.alive()
        if entry.kind is Kind.ABORTED_CONNECT or entry.text.startswith("Aborted connection "):
            abort = Abort(entry.kind, entry.user, entry.host, entry.database, entry.reason)
            key = (line.hour if line else None, abort)
            self._pending[key] = self._pending.get(key, 0) + 1
            if len(self._pending) > _PENDING:
                self._settle()
            if entry.kind in _BEFORE_LOGIN:
                if entry.at is not None:
                    self._noise.see(entry.host, entry.at.timestamp())
                self._noise.count(entry.host, 1)

    def _skim(self, block: bytes) -> bytes:
        """Take in as much of a block as can be taken at once; what is left."""
        if self._reading.in_dump:
            return self._after(block, while_in_dump=True)
        skimmed = self._skimmed(block)
        if skimmed is None or (self._around is not None and skimmed.within(self._around, self._clock.zone)):
            return block
        if not self._lives.begun and skimmed.close:
            # Whose life the connections belong to is open until the first line that may tell.
            return self._after(block, skimmed.close[0] + 1)
        if skimmed.crash == 0:
            return self._after(block, while_in_dump=True)
        if skimmed.crash > 0:
            head, rest = _split(skimmed.lines, skimmed.crash)
            return b"".join((self._skim(head), rest))
        self._take_skimmed(skimmed)
        return b""

    def _after(self, block: bytes, number: int = 0, *, while_in_dump: bool = False) -> bytes:
        """Read so many lines, or as many as a dump has, each for itself; what is left of the block."""
        lines = block.split(b"\n")[1:]
        done = self._read(lines[: number or None], while_in_dump=while_in_dump)
        return _split(lines, done)[1]

    def _skimmed(self, block: bytes) -> Skimmed | None:
        if self._shape is None:
            self._shape = self._guess(block)
            if self._shape is None:
                return None
        skimmed = skim(block, self._shape)
        if skimmed is not None and len(skimmed.looked_at) * _VAGUE < len(skimmed.counts):
            return skimmed
        guess = self._guess(block)
        if guess is None or guess == self._shape:
            return skimmed
        self._shape = guess
        return skim(block, guess)

    def _guess(self, block: bytes) -> Shape | None:
        for raw in block[:_SNIFFED].split(b"\n", _GUESSED)[:_GUESSED]:
            line = read_line(raw.decode("utf-8", "replace").rstrip("\r"), self._clock)
            if line is not None and line.headed and (shape := shape_of(line)):
                return shape
        return None

    def _take_skimmed(self, skimmed: Skimmed) -> None:
        beside: dict[Kind, list[_Placed]] = {}  # lines that had to be read, of kinds that rows tell as well
        for place in skimmed.close:
            for entry in self._reading.read(skimmed.lines[place], self._lines + 1 + place):
                alike = entry.kind in skimmed.per_kind
                self._take(entry, self._reading.line, keep=not alike)
                if alike:
                    beside.setdefault(entry.kind, []).append((place, entry))
            if self._reading.line is not None:
                self._formats.setdefault((self._reading.line.wrapping, self._reading.line.style))
        for style in skimmed.styles:
            self._formats.setdefault((skimmed.shape.wrapping, style))
        self._take_alike(skimmed, beside)
        self._take_knocks(skimmed)
        self._unknown += skimmed.unknown
        if skimmed.styles or skimmed.close:
            self._first = self._first or self._first_time(skimmed.lines)
            self._last = self._last_time(skimmed.block) or self._last
        self._lines += len(skimmed.rows)

    def _take_alike(self, skimmed: Skimmed, beside: dict[Kind, list[_Placed]]) -> None:
        """Lines of which rows tell the kind: the first and last are kept, all are counted."""
        if not _SIGNS_OF_LIFE.isdisjoint(skimmed.per_kind):
            self._lives.alive()
        latest = skimmed.last(self._kept.ends())
        for kind, number in skimmed.per_kind.items():
            wanted = max(0, self._kept.wants_first(kind))
            others = beside.get(kind, [])
            for place, one in _in_order(skimmed.first(kind, wanted), others)[:wanted]:
                entries = (one,) if isinstance(one, Entry) else self._reading.read(one, self._lines + 1 + place)
                for entry in entries:
                    self._kept.keep_first(entry)
            self._kept.count(kind, number)
            last = _in_order(latest[kind], others)[-self._kept.ends() :]
            self._kept.last(kind, [(self._lines + 1 + place, _cut(one)) for place, one in last])
        for row in skimmed.kinds:
            abort = abort_in(row)
            if abort is not None:
                key = (skimmed.hour(row, self._clock.zone), abort)
                self._pending[key] = self._pending.get(key, 0) + skimmed.counts[row]
        if len(self._pending) > _PENDING:
            self._settle()

    def _settle(self) -> None:
        for (hour, abort), number in self._pending.items():
            self._aborts.add(abort, hour, number)
        self._pending.clear()

    def _take_knocks(self, skimmed: Skimmed) -> None:
        hosts: dict[str, int] = {}
        for row, kind in skimmed.kinds.items():
            if kind in _BEFORE_LOGIN and (abort := abort_in(row)):
                hosts[abort.host] = hosts.get(abort.host, 0) + skimmed.counts[row]
        if any(self._noise.wants(host) for host in hosts):
            for host, at in skimmed.knocks(self._clock.zone, self._noise.wants):
                self._noise.see(host, at.timestamp())
        for host, number in hosts.items():
            self._noise.count(host, number)

    def _first_time(self, lines: Sequence[bytes]) -> datetime | None:
        return next((at for raw in lines if (at := self._time_in(raw))), None)

    def _last_time(self, block: bytes) -> datetime | None:
        end = len(block)
        while end > 0:
            begin = block.rfind(b"\n", 0, end)
            if at := self._time_in(block[begin + 1 : end]):
                return at
            end = begin
        return None

    def _time_in(self, raw: bytes) -> datetime | None:
        line = read_line(raw[:LINE_LIMIT].decode("utf-8", "replace").rstrip("\r"), self._clock)
        return line.at if line is not None else None

    def _result(self, log: Log) -> Summary:
        late = Reading(self._clock)
        waiting = [entry for number, raw in self._kept.waiting() for entry in late.read(raw, number)]
        entries = self._kept.result(waiting)
        self._settle()
        return Summary(
            lines=self._lines,
            size=log.size,
            unknown=self._unknown + self._reading.unknown,
            formats=tuple(sorted({_name(wrapping, style) for wrapping, style in self._formats} - {""})),
            first=self._first,
            last=self._last,
            lives=self._lives.result(),
            dropped_lives=self._lives.dropped,
            counts=dict(self._kept.counts),
            aborts=self._aborts.result(),
            noise=self._noise.result(),
            entries=entries,
            omitted=sum(self._kept.counts.values()) - len(entries),
            damage=log.damage,
        )


def _split(lines: list[bytes], number: int) -> tuple[bytes, bytes]:
    """The first so many lines, and the others, as blocks."""
    return b"".join([b"\n" + line for line in lines[:number]]), b"".join([b"\n" + line for line in lines[number:]])


def _in_order(lines: Sequence[tuple[int, bytes]], others: Sequence[_Placed]) -> list[_Placed]:
    return sorted((*lines, *others), key=lambda placed: placed[0])


def _cut(one: bytes | Entry) -> bytes | Entry:
    return one[:LINE_LIMIT] if isinstance(one, bytes) else one


def _name(wrapping: tuple[str, ...], style: str) -> str:
    return ": ".join((*wrapping, style) if style else wrapping)
