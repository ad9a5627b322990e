"""The fast reader's patterns: what one pass over a block of a million bytes can tell of its lines.

A log's lines have one wrapping and one style of head nearly always: its *shape*. For a shape, one pattern yields a
*mark* for each line: its severity, its code and the first letters of its message. Lines are alike in millions, marks are
few; what a mark means is decided once. What a mark can't settle is left to the exact reader, line by line, so that a
wrong guess of the shape costs time and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from stillhere.errorlog.entry import Kind
from stillhere.errorlog.formats import Line
from stillhere.errorlog.messages import BARE_REASONS, SAYINGS

__all__ = ["Meaning", "Shape", "meaning_of", "shape_of"]

_LETTERS = len("Aborted connection")  # of a message, in a mark: fewer than where numbers begin in the usual ones

_WRAPS = {
    (): rb"",
    ("docker",): rb'\{"log":"',
    ("cri",): rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) std(?:out|err) F ",
    ("compose",): rb"[\w.-]{1,128} +\| ",
    ("syslog",): (
        rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
        rb" \S+ (?:mysqld|mariadbd)(?:\[\d+\])?: "
    ),
}
_STYLES = {
    "mysql 8": "mysql",
    "mysql 5.7": "mysql",
    "mariadb": "mariadb",
    "old": "old",
}
# The hour, the rest of the time, the zone, and what follows up to the severity's bracket.
_HEADS = {
    "mysql": (rb"\d{4}-\d\d-\d\dT\d\d", rb":\d\d:\d\d(?:\.\d{1,9})?", rb"(?:Z|[+-]\d\d:\d\d)", rb" \d+"),
    "mariadb": (rb"\d{4}-\d\d-\d\d [ \d]\d", rb":\d\d:\d\d", rb"", rb" \d+"),
    "old": (rb"\d{6} [ \d]\d", rb":\d\d:\d\d", rb"", rb""),
}
_LABELS = rb" \[\w+\] ?(?:\[MY-\d+\] ?(?:\[\w*\] ?)?)?"
_BARE = b"|".join(reason.encode() for reason in BARE_REASONS)


class Meaning(Enum):
    """What a mark says of its lines."""

    EMPTY = "empty"
    UNKNOWN = "no format"
    DULL = "of no interest"
    ABORTED = "an aborted connection"
    DENIED = "access denied"
    UNRESOLVED = "a name that could not be resolved"
    ERROR = "an error, of a kind that its text must tell"
    CLOSE = "look closely"


@dataclass(frozen=True)
class Shape:
    """One wrapping and one style of head, in patterns over a block that begins with a newline.

    Attributes:
        wrapping: the wrapping's name in `formats`; empty for none.
        head: the head's family.
    """

    wrapping: tuple[str, ...]
    head: str

    @cached_property
    def marks(self) -> re.Pattern[bytes]:
        """Finds one mark a line. That of a line with a head begins with a blank and a bracket."""
        hour, rest, zone, thread = _HEADS[self.head]
        return re.compile(
            # The blank is eaten where a line without a head begins like a mark with one.
            rb"\n(?:" + _WRAPS[self.wrapping] + hour + rest + zone + thread + rb"(?= \[)| (?=\[))?"
            rb"((?:" + _LABELS + rb")?[^\n]{0,%d})" % _LETTERS
        )

    @cached_property
    def aborts(self) -> re.Pattern[bytes]:
        """Finds the lines of aborted connections: hour, zone, and what `abort_of` takes."""
        hour, rest, zone, thread = _HEADS[self.head]
        text, end = (rb"[^\n\\]", rb'\\n"') if self.wrapping == ("docker",) else (rb"[^\n]", rb"(?=\n|\Z)")
        return re.compile(
            rb"\n"
            + _WRAPS[self.wrapping]
            + b"("
            + hour
            + b")"
            + rest
            + b"("
            + zone
            + b")"
            + thread
            + _LABELS
            + rb"(?:Aborted connection \d{1,20} (?=to db: )|(?="
            + _BARE
            + rb"))("
            + text
            + rb"{0,2000})"
            + end
        )

    @cached_property
    def knocks(self) -> re.Pattern[bytes]:
        """Finds those of them that had not logged in: time, zone and host, or the bare reason."""
        hour, rest, zone, thread = _HEADS[self.head]
        return re.compile(
            rb"\n"
            + _WRAPS[self.wrapping]
            + b"("
            + hour
            + rest
            + b")("
            + zone
            + b")"
            + thread
            + _LABELS
            + rb"(?:Aborted connection \d{1,20} to db: '[^'\n]*' user: 'unauthenticated' host: '([^'\n]*)'|"
            + _BARE
            + b")"
        )

    @cached_property
    def hours(self) -> re.Pattern[bytes]:
        """Finds the hour and the zone of every line that has a head."""
        hour, rest, zone, thread = _HEADS[self.head]
        return re.compile(
            rb"\n" + _WRAPS[self.wrapping] + b"(" + hour + b")" + rest + b"(" + zone + b")" + thread + rb"(?= \[)"
        )


@lru_cache(64)
def _shape(wrapping: tuple[str, ...], head: str) -> Shape:
    return Shape(wrapping, head)


def shape_of(line: Line) -> Shape | None:
    """The shape that the line has; ``None`` where it is none that there are patterns for."""
    head = _STYLES.get(line.style)
    return _shape(line.wrapping, head) if head is not None and line.wrapping in _WRAPS else None


_HEADED = re.compile(rb" \[(\w+)\] ?(?:\[MY-(\d+)\] ?(?:\[\w*\] ?)?)?(.*)", re.DOTALL)
_COMPONENT = re.compile(rb"(?:InnoDB: |WSREP: )+")
# A line without a head, but perhaps with another wrapping or another style of head than the shape's.
_OTHER_SHAPE = re.compile(
    rb"[\d{<\[\x1b\xef]|[A-Z][a-z]{2} (?:[ \d]\d |\d{4}-)|[\w.-]{1,128} *(?:\||\Z)|[\w.-]{1,128} +\Z|InnoDB: |.*\ufeff"
)
_RESTATED = b"13951"
_ABORTED = b"Aborted connection"
_BARE_MARKS = tuple(reason.encode()[:_LETTERS] for reason in BARE_REASONS)
_OPENINGS = tuple({saying.opening.encode() for saying in SAYINGS})


@lru_cache(20_000)
def meaning_of(mark: bytes) -> Meaning:
    """What a mark says of its lines."""
    if not mark.strip():
        return Meaning.EMPTY
    headed = _HEADED.match(mark)
    if headed is None:
        return Meaning.CLOSE if _OTHER_SHAPE.match(mark) else Meaning.UNKNOWN
    severity, code, message = headed.groups()
    if code is not None and code.lstrip(b"0") == _RESTATED:
        return Meaning.CLOSE
    if message == _ABORTED or message.startswith(_BARE_MARKS):
        return Meaning.ABORTED
    if message.startswith(b"Access denied for "):
        return Meaning.DENIED
    if _needs_a_look(message):
        return Meaning.CLOSE
    return Meaning.ERROR if severity.upper() == b"ERROR" else Meaning.DULL


def _needs_a_look(message: bytes) -> bool:
    """Whether a message that begins so may be one of `SAYINGS`."""
    word, blank, _ = message.partition(b" ")
    # The name of a program, which may be a long path, hides what comes after it.
    if (
        not blank
        or b"/" in word
        or b"\\" in word
        or b"mysqld" in message
        or b"mariadbd" in message
        or word == b"Plugin"
    ):
        return True
    component = _COMPONENT.match(message)
    rest = message[component.end() :] if component else message
    if rest.startswith(b"[") or message[1:3] == b":\\":
        return True
    return any(opening.startswith(rest) or rest.startswith(opening) for opening in _OPENINGS)


KIND_OF = {Meaning.DENIED: Kind.ACCESS_DENIED}
