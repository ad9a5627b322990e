"""An option file as the servers read it, kept byte for byte.

The reading follows ``mysys/my_default`` of MySQL 9.7 and MariaDB 10.11, and is compared with both servers'
``my_print_defaults``. What they would read differently, or not at all, is a problem of its line: such a file is
shown, never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Kind", "Line", "OptionFile", "parse"]

_SPACE = b" \t\n\v\f\r\xa0"  # what my_isspace() says of latin1, the servers' choice for option files
_LONGEST = 4094  # bytes with the line's end; both read into 4 KiB: MariaDB makes two options of the rest, MySQL none
_BOM = b"\xef\xbb\xbf"
_ESCAPES = {
    ord("n"): b"\n",
    ord("t"): b"\t",
    ord("r"): b"\r",
    ord("b"): b"\b",
    ord("s"): b" ",
    ord('"'): b'"',
    ord("'"): b"'",
    ord("\\"): b"\\",
}


class Kind(Enum):
    """What a line is."""

    NOTHING = "nothing"  # blank, a comment, or a directive that servers pass over
    GROUP = "group"
    OPTION = "option"
    INCLUDE = "include"
    INCLUDEDIR = "includedir"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an option file.

    Attributes:
        raw: its bytes, with its end.
        kind: what it is.
        group: the group that it stands in, or opens; as written, bytes.
        name: an option's name as written; what a directive includes; empty for other lines.
        value: an option's value, quotes and escapes resolved; ``None`` for one without ``=``.
        name_at: where the name starts and ends in `raw`.
        value_at: where the value starts and ends in `raw`, inside its quotes; ``None`` without ``=``.
        problem: why servers stop at this line, or read it differently; empty for none.
    """

    raw: bytes
    kind: Kind
    group: bytes = b""
    name: bytes = b""
    value: bytes | None = None
    name_at: tuple[int, int] = (0, 0)
    value_at: tuple[int, int] | None = None
    problem: str = ""

    @property
    def end(self) -> bytes:
        """Its line end: CR LF, LF, or nothing."""
        return self.raw[len(self.raw.rstrip(b"\r\n")) :] if self.raw.endswith(b"\n") else b""


@dataclass(frozen=True, slots=True)
class OptionFile:
    """A file's lines. ``bytes(file)`` is what was parsed, whatever that was."""

    lines: tuple[Line, ...]

    def __bytes__(self) -> bytes:
        return b"".join(line.raw for line in self.lines)

    @property
    def problems(self) -> tuple[tuple[int, str], ...]:
        """Line number and reason, for each line that servers can't be trusted with."""
        return tuple((number, line.problem) for number, line in enumerate(self.lines, 1) if line.problem)


def parse(data: bytes) -> OptionFile:
    """Read an option file's bytes. Never fails: what is wrong is said in `OptionFile.problems`."""
    group: bytes | None = None
    lines: list[Line] = []
    for raw in _split(data):
        line = _line(raw, group)
        if not lines and raw.startswith(_BOM):
            line = Line(raw, Kind.BROKEN, problem="starts with a byte order mark, which no server reads over")
        if line.kind is Kind.GROUP:
            group = line.group
        lines.append(line)
    return OptionFile(tuple(lines))


def _split(data: bytes) -> list[bytes]:
    """Lines end with LF alone: a CR is white space to the servers, so that old Mac files are one line."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _line(raw: bytes, group: bytes | None) -> Line:
    here = group or b""
    if b"\0" in raw or len(raw) > _LONGEST:
        problem = "has a NUL byte" if b"\0" in raw else f"is longer than {_LONGEST} bytes"
        return Line(raw, Kind.BROKEN, here, problem=problem)
    start = len(raw) - len(raw.lstrip(_SPACE))
    if start == len(raw) or raw[start : start + 1] in {b"#", b";"}:
        return Line(raw, Kind.NOTHING, here)
    if raw[start : start + 1] == b"!":
        return _directive(raw, start + 1, here)
    if raw[start : start + 1] == b"[":
        return _opening(raw, start + 1, here)
    if group is None:
        return Line(raw, Kind.BROKEN, problem="is an option before any [group]")
    return _option(raw, start, group)


def _opening(raw: bytes, start: int, here: bytes) -> Line:
    end = raw.find(b"]", start)
    if end < 0:
        return Line(raw, Kind.BROKEN, here, problem="opens a [group] that isn't closed")
    # White space before the name belongs to it: "[ mysqld]" is another group to the servers.
    return Line(raw, Kind.GROUP, raw[start:end].rstrip(_SPACE))


def _directive(raw: bytes, start: int, here: bytes) -> Line:
    word, _, rest = _first_word(raw[start:].lstrip(_SPACE))
    kind = {b"include": Kind.INCLUDE, b"includedir": Kind.INCLUDEDIR}.get(word)
    if kind is None:
        return Line(raw, Kind.NOTHING, here)
    target = rest.strip(_SPACE)
    if not target:
        return Line(raw, Kind.BROKEN, here, problem=f"!{word.decode()} names nothing")
    return Line(raw, kind, here, target)


def _first_word(text: bytes) -> tuple[bytes, bytes, bytes]:
    end = next((at for at, byte in enumerate(text) if byte in _SPACE), len(text))
    return text[:end], text[end : end + 1], text[end + 1 :]


def _option(raw: bytes, start: int, group: bytes) -> Line:
    end = _comment(raw, start)
    equals = raw.find(b"=", start, end)
    name_end = _trimmed(raw, start, end if equals < 0 else equals)
    name_at = (start, name_end)
    name = raw[start:name_end]
    if not name:  # with white space before it, servers read back beyond the line's start
        return Line(raw, Kind.BROKEN, group, problem="has no name before its '='")
    if equals < 0:
        return Line(raw, Kind.OPTION, group, name, None, name_at)
    first = equals + 1
    while first < end and raw[first] in _SPACE:
        first += 1
    last = max(first, _trimmed(raw, first, end))
    if first == last:  # nothing there: right behind the "=", before any line end or comment
        first = last = equals + 1
    if last - first >= 2 and raw[first] in b"\"'" and raw[first] == raw[last - 1]:  # noqa: PLR2004 - two quotes
        first, last = first + 1, last - 1
    return Line(raw, Kind.OPTION, group, name, _unescaped(raw[first:last]), name_at, (first, last))


def _trimmed(raw: bytes, start: int, end: int) -> int:
    while end > start and raw[end - 1] in _SPACE:
        end -= 1
    return end


def _comment(raw: bytes, start: int) -> int:
    """Where a comment begins: a ``#`` outside quotes. A quote in mid-word counts, as in ``it's # no comment``."""
    quote, escaped = 0, False
    for at in range(start, len(raw)):
        byte = raw[at]
        if byte in b"\"'" and not escaped:
            quote = byte if not quote else 0 if quote == byte else quote
        if not quote and byte == ord("#"):
            return at
        escaped = bool(quote) and byte == ord("\\") and not escaped
    return len(raw)


def _unescaped(text: bytes) -> bytes:
    done = bytearray()
    at = 0
    while at < len(text):
        byte = text[at]
        if byte == ord("\\") and at + 1 < len(text):
            at += 1
            done += _ESCAPES.get(text[at], b"\\" + text[at : at + 1])
        else:
            done.append(byte)
        at += 1
    return bytes(done)
