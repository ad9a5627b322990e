"""A stream of bytes -> the passages that may hold an error, each of bounded size; everything else is only counted."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, cast

__all__ = ["MARKS", "Passage", "decoded", "passages"]

CHUNK = 64 * 1024
MOST_LINE = 4 * 1024 * 1024
"""Bytes of one line that are kept together: an event in JSON is one line."""
CONTEXT = 60
"""Lines above a passage that may say what was asked for."""
GAP = 80
"""Quiet lines after which a passage is over: a long statement, the variables of a frame."""
SOFT_LINES, SOFT_BYTES = 3_000, 512 * 1024
HARD_LINES, HARD_BYTES = 12_000, 4 * 1024 * 1024

# What an error of a database client can't be written without. Searched in whole chunks, so they must be rare words.
MARKS = (
    b"Traceback (",
    b"OperationalError",
    b"InterfaceError",
    b"ProgrammingError",
    b"InternalError",
    b"DatabaseError",
    b"IntegrityError",
    b"DataError",
    b"PoolError",
    b"RollbackError",
    b"QueuePool limit",
    b"gone away",
    b"ost connection",
    b"SQLSTATE[",
    b"bad connection",
    b"invalid connection",
    b"PROTOCOL_",
    b"ECONN",
    b"EPIPE",
    b"ETIMEDOUT",
    b"ommunications link failure",
    b"ommunicationsException",
    b"HikariPool",
    b"onnection pool",
    b"[mysql]",
    b"mysqli",
    b"mysqldump: ",
    b"mysql_error",
    b"MySQL",
    b"MySql",
    b"Mysql2",
    b"MariaDB",
    b"Trilogy",
    b"(HY000)",
    b"(08S01)",
    b"DBD::mysql",
)
_MARK = re.compile(b"|".join(re.escape(mark) for mark in MARKS))
_WARM = re.compile(
    rb'File "|", line \d|File &|&quot;, line|\\", line|\xe2\x94\x82|\xe2\x94\x94|--> |\sat |\.py in |#\d+ '
    rb"|\[SQL: |\[parameters: "
    rb"|\(Background on|the above exception|The above exception|packet (?:successfully|sent)|Caused by"
)
_PLACE = re.compile(rb"File \"|:\d+ in |\[Line \d|(?:^|[ |>])stillhere: ")
_HEAD = re.compile(rb"Traceback \(most recent call last\)")
_CHAINED = re.compile(rb"the above exception|The above exception")


@dataclass(slots=True)
class Passage:
    """Lines that may hold errors.

    Attributes:
        lines: number and text of each, from 1.
        context: how many of the first lines were part of the passage before, and serve only as surroundings.
    """

    lines: list[tuple[int, str]] = field(default_factory=list)
    context: int = 0


def decoded(stream: BinaryIO, head: bytes) -> tuple[BinaryIO, bytes]:
    """A stream that gives UTF-8, whatever byte order mark its head has."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        whole = (
            BytesIO(head + stream.read()) if isinstance(stream, BytesIO) else cast("BinaryIO", _Joined(head, stream))
        )
        return cast("BinaryIO", codecs.EncodedFile(whole, "utf-8", "utf-16", "replace")), b""
    return stream, head.removeprefix(codecs.BOM_UTF8)


class _Joined:
    """What was read already, followed by the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = BytesIO(head)
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """As of a binary stream."""
        return self._head.read(size) or self._stream.read(size)

    def readline(self, size: int = -1) -> bytes:
        """As of a binary stream."""
        line = self._head.readline(size)
        return line if line.endswith(b"\n") else line + self._stream.readline(size)


def passages(stream: BinaryIO, head: bytes = b"") -> Iterator[Passage]:
    """The passages of a stream, in order.

    Args:
        stream: bytes of UTF-8, or nearly.
        head: what was read of it before.
    """
    window = _Window()
    number = 1
    for chunk in _chunks(stream, head):
        if not window.lines and not any(mark in chunk for mark in MARKS):
            number += chunk.count(b"\n")
            window.pass_by(chunk, number)
            continue
        lines = chunk.split(b"\n")
        if not lines[-1] or _PLACE.search(lines[-1]):  # after the last line feed; half of a place or a note is none
            lines.pop()
        for raw in lines:
            yield from window.take(number, raw)
            number += 1
    yield from window.end()


def _chunks(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Whole lines, about a chunk's worth at a time."""
    rest = head
    while rest:
        if len(rest) <= CHUNK:
            rest += stream.read(CHUNK)
        cut = rest.find(b"\n", CHUNK) + 1
        if not cut:
            yield rest + stream.readline(MOST_LINE)
            rest = b""
            break
        yield rest[:cut]
        rest = rest[cut:]
    while chunk := stream.read(CHUNK):
        yield chunk if chunk.endswith(b"\n") else chunk + stream.readline(MOST_LINE)


class _Window:
    """The passage that is being gathered, and the lines before it."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, bytes]] = []
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=CONTEXT)
        self._passed: tuple[bytes, int] | None = None
        self._quiet = 0
        self._bytes = 0
        self._context = 0
        self._chained = 0

    def pass_by(self, chunk: bytes, following: int) -> None:
        """Remember the end of a chunk in which there is nothing; ``following`` is the number of the next line."""
        self._passed = (chunk, following)
        self._recent.clear()

    def take(self, number: int, raw: bytes) -> Iterator[Passage]:
        """One more line; the passage that it ends, if it ends one."""
        hot = _MARK.search(raw) is not None
        if not self.lines:
            if not hot:
                self._recent.append((number, raw))
                return
            self.lines = [*self._looked_back(), *self._recent]
            self._recent.clear()
            self._bytes = sum(len(line) for _, line in self.lines)
            self._context = 0
        elif self._full(raw):
            yield self._cut()
        self.lines.append((number, raw))
        self._bytes += len(raw)
        self._quiet = 0 if hot or _WARM.search(raw) else self._quiet + 1
        self._chained = number if _CHAINED.search(raw) else self._chained
        if self._quiet > GAP:
            yield from self.end()

    def end(self) -> Iterator[Passage]:
        """The passage that is open, if one is."""
        if len(self.lines) > self._context:
            yield self._passage()
        self._recent.extend(self.lines[-self._quiet :] if self._quiet else ())
        self.lines, self._quiet, self._bytes, self._context = [], 0, 0, 0

    def _full(self, raw: bytes) -> bool:
        """Whether to cut before this line: at a traceback's beginning, or at the latest where memory ends."""
        if len(self.lines) > HARD_LINES or self._bytes > HARD_BYTES:
            return True
        large = len(self.lines) > SOFT_LINES or self._bytes > SOFT_BYTES
        return large and _HEAD.search(raw) is not None and self.lines[-1][0] - self._chained > 3  # noqa: PLR2004 - blanks

    def _cut(self) -> Passage:
        passage = self._passage()
        self.lines = self.lines[-CONTEXT:]
        self._bytes = sum(len(line) for _, line in self.lines)
        self._context = len(self.lines)
        return passage

    def _passage(self) -> Passage:
        return Passage([(number, raw.decode("utf-8", "replace")) for number, raw in self.lines], self._context)

    def _looked_back(self) -> list[tuple[int, bytes]]:
        """The last lines of the chunk that was passed by, where the passage begins right after it."""
        passed, self._passed = self._passed, None
        missing = CONTEXT - len(self._recent)
        if passed is None or missing <= 0:
            return []
        chunk, following = passed
        tail = chunk[-CONTEXT * 1024 :].rstrip(b"\n").split(b"\n")[-missing:]
        return [(following - len(tail) + index, line) for index, line in enumerate(tail)]
