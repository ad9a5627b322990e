"""One block of a log, skimmed: what its lines are, without reading each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

from stillhere.errorlog.entry import Kind
from stillhere.errorlog.messages import Abort, abort_of, is_full
from stillhere.errorlog.moments import hour_of, moment
from stillhere.errorlog.shapes import Meaning, Shape, meaning_of

__all__ = ["Row", "Skimmed", "abort_in", "skim"]

Row = tuple[bytes, bytes, bytes]
"""Hour, mark and tail of a line, as `Shape.rows` finds them."""

_KINDS = {Meaning.DENIED: Kind.ACCESS_DENIED, Meaning.UNRESOLVED: Kind.NAME_RESOLUTION, Meaning.ERROR: Kind.OTHER}
_CRASH = (b"got signal ", b"got exception ", b"Assertion failure", b"MY-013951")
_HOUR = timedelta(hours=1)
_NEAR_THE_END = 1000  # lines


@dataclass
class Skimmed:
    """A block and what its rows say.

    Attributes:
        block: as it was read.
        shape: by which it was skimmed.
        rows: one a line.
        counts: how often each row came.
        kinds: of the rows that settle it, the kind of entry that their lines are.
        looked_at: the rows whose lines must be read.
        unknown: lines of no format.
        styles: the styles of heads that were seen.
    """

    block: bytes
    shape: Shape
    rows: list[Row]
    counts: Counter[Row]
    kinds: dict[Row, Kind]
    looked_at: set[Row]
    unknown: int
    styles: tuple[str, ...]

    @cached_property
    def close(self) -> list[int]:
        """The places of the lines, from 0, that must be read."""
        return [place for place, row in enumerate(self.rows) if row in self.looked_at] if self.looked_at else []

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines themselves."""
        return self.block.split(b"\n")[1:]

    @cached_property
    def crash(self) -> int:
        """The place of the first line that may begin a dump; -1 where none does."""
        return next((place for place in self.close if any(word in self.lines[place] for word in _CRASH)), -1)

    @cached_property
    def per_kind(self) -> dict[Kind, int]:
        """How many lines there are of each kind that rows settle."""
        numbers: dict[Kind, int] = {}
        for row, kind in self.kinds.items():
            numbers[kind] = numbers.get(kind, 0) + self.counts[row]
        return numbers

    def within(self, window: tuple[datetime, datetime], zone: tzinfo) -> bool:
        """Whether a line with a head may lie in that window."""
        hours = {self.hour(row, zone) for row in self.counts if row[0]}
        return any(hour and window[0] - _HOUR <= hour <= window[1] for hour in hours)

    def hour(self, row: Row, zone: tzinfo) -> datetime | None:
        """The hour of a row, in UTC."""
        return hour_of(row[0].decode("ascii"), self.shape.zone, zone)

    def first(self, kind: Kind, number: int) -> list[tuple[int, bytes]]:
        """The first so many lines of a kind, with their places."""
        found: list[tuple[int, bytes]] = []
        for place, row in enumerate(self.rows if number else ()):
            if self.kinds.get(row) is kind:
                found.append((place, self.lines[place]))
                if len(found) >= number:
                    break
        return found

    def last(self, number: int) -> dict[Kind, list[tuple[int, bytes]]]:
        """The last so many lines of every kind that rows settle, with their places, in the order of the log."""
        missing = {kind: min(number, there) for kind, there in self.per_kind.items()}
        found: dict[Kind, list[tuple[int, bytes]]] = {kind: [] for kind in missing}
        kinds, end = self.kinds, len(self.block)
        near = len(self.rows) - _NEAR_THE_END
        for place in range(len(self.rows) - 1, -1, -1):
            if not missing:
                break
            begin = self.block.rfind(b"\n", 0, end) if place >= near else -1
            kind = kinds.get(self.rows[place])
            if kind is not None and kind in missing:
                found[kind].append((place, self.block[begin + 1 : end] if begin >= 0 else self.lines[place]))
                missing[kind] -= 1
                if not missing[kind]:
                    del missing[kind]
            end = begin
        return {kind: latest[::-1] for kind, latest in found.items()}

    def knocks(self, zone: tzinfo, wants: Callable[[str], bool]) -> Iterator[tuple[str, datetime]]:
        """Host and time of each connection that was aborted before it had logged in, as far as they are wanted."""
        for text, raw in self.shape.knocks.findall(self.block):
            host = raw.decode("utf-8", "replace")
            if wants(host) and (at := moment(text.decode("ascii") + self.shape.zone, zone)):
                yield host, at


def skim(block: bytes, shape: Shape) -> Skimmed | None:
    """The block, skimmed; ``None`` where the shape's pattern doesn't account for all of its lines."""
    rows: list[Row] = shape.rows.findall(block)
    counts = Counter(rows)
    kinds: dict[Row, Kind] = {}
    looked_at: set[Row] = set()
    unknown = 0
    errors: set[Row] = set()
    for row, number in counts.items():
        meaning = meaning_of(row[1])
        if meaning in (Meaning.ABORTED, Meaning.BARE):
            abort = abort_in(row)
            if abort is None:
                return None
            kinds[row] = abort.kind
        elif meaning in _KINDS:
            kinds[row] = _KINDS[meaning]
            if meaning is Meaning.ERROR:
                errors.add(row)
        elif meaning is Meaning.CLOSE:
            looked_at.add(row)
        elif meaning is Meaning.UNKNOWN:
            unknown += number
    if errors and _full(block, {row[1].partition(b"]")[0] + b"]" for row in errors}):
        # Errors whose beginning says nothing: one of them speaks of a full disk.
        looked_at |= errors
        kinds = {row: kind for row, kind in kinds.items() if row not in errors}
    styles = tuple({style for row in counts if (style := shape.style(row[1])) is not None})
    return Skimmed(block, shape, rows, counts, kinds, looked_at, unknown, styles)


def abort_in(row: Row) -> Abort | None:
    """What a row says of an aborted connection; ``None`` where its line would have to be read."""
    _, mark, tail = row
    if tail:
        return _abort(tail)
    return _abort(mark[mark.index(b"Got ") :]) if b"Got " in mark else None


@lru_cache(4096)
def _abort(tail: bytes) -> Abort | None:
    return abort_of(tail.decode("utf-8", "replace").rstrip("\r"))


def _full(block: bytes, labels: set[bytes]) -> bool:
    """Whether a line with one of these labels speaks of a full disk."""
    for label in labels:
        at = block.find(label)
        while at >= 0:
            end = block.find(b"\n", at)
            if is_full(block[at : end if end >= 0 else None].decode("utf-8", "replace")):
                return True
            at = block.find(label, at + len(label))
    return False
