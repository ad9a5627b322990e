"""The fast reader's patterns: what one pass over a block of a million bytes can tell of its lines.

A log's lines have one wrapping and one style of head nearly always: its *shape*. For a shape, one pattern yields a
*mark* for each line: its severity, its code and the first letters of its message. Lines are alike in millions, marks
are few; what a mark means is decided once. What a mark can't settle is left to the exact reader, line by line, so that
a wrong guess of the shape costs time and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from stillhere.errorlog.formats import Line
from stillhere.errorlog.messages import BARE_REASONS, SAYINGS, abort_of

__all__ = ["Meaning", "Shape", "meaning_of", "shape_of"]

_LETTERS = len("Aborted connection")  # of a message, in a mark: fewer than where numbers begin in the usual ones

_WRAPS = {
    (): rb"",
    ("docker",): rb'\{"log":"',
    ("cri",): rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) std(?:out|err) F ",
    ("compose",): rb"[\w.-]{1,128} +\| ",
    ("syslog",): (
        rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
        rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
        rb" \S+ (?:mysqld|mariadbd)(?:\[\d+\])?: "
    ),
}
_STYLES = {
    "mysql 8": "mysql",
    "mysql 5.7": "mysql",
    "mariadb": "mariadb",
    "old": "old",
}
# The hour, the rest of the time, and what follows the zone up to the severity's bracket.
_HEADS = {
    "mysql": (rb"\d{4}-\d\d-\d\dT\d\d", rb":\d\d:\d\d(?:\.\d{1,9})?", rb" \d+"),
    "mariadb": (rb"\d{4}-\d\d-\d\d [ \d]\d", rb":\d\d:\d\d", rb" \d+"),
    "old": (rb"\d{6} [ \d]\d", rb":\d\d:\d\d", rb""),
}
_WRAPPED = b':"'
_LABELS = rb" \[\w+\] ?(?:\[MY-\d+\] ?(?:\[\w*\] ?)?)?"


class Meaning(Enum):
    """What a mark says of its lines."""

    EMPTY = "of no interest, without a head"
    UNKNOWN = "no format"
    DULL = "of no interest"
    ABORTED = "an aborted connection"
    BARE = "a connection that was aborted before it had logged in"
    DENIED = "access denied"
    UNRESOLVED = "a name that could not be resolved"
    ERROR = "an error, of a kind that its text must tell"
    CLOSE = "look closely"


@dataclass(frozen=True)
class Shape:
    """One wrapping and one style of head, in patterns over lines that each begin with a newline.

    Attributes:
        wrapping: the wrapping's name in `formats`; empty for none.
        head: the head's family.
        zone: the zone that the times name; empty where they name none.
    """

    wrapping: tuple[str, ...]
    head: str
    zone: str

    @cached_property
    def rows(self) -> re.Pattern[bytes]:
        """Finds one row a line: the hour, the mark, and what follows the number of an aborted connection.

        The mark of a line with a head begins with a blank and a bracket. Without a head, the hour is empty.
        """
        before, after = self._around_hour
        text, end, unheaded = rb"[^\n]", rb"(?![^\n])", b""
        if self.wrapping == ("docker",):
            # The text is JSON's: it ends at a quote, and one with escapes is left to be read. The mark of a wrapped
            # line without a head begins with the colon and the quote before its text.
            text, end, unheaded = rb"[^\n\\]", rb'(?=\\n")', rb'|\{"log"(?=:")'
        letters = rb"[^\n]{0,%d}" % _LETTERS
        return re.compile(
            # A blank or a colon is eaten where a line begins like a mark that it shall not have.
            rb"\n(?:" + before + rb")" + after + rb"(?= \[)| (?=\[)" + unheaded + rb'|:(?="))?'
            # Most lines are told by their first letters; MySQL 8's bare reasons, by all of them.
            rb"((?:" + _LABELS + rb")?(?:Got " + text + rb"{0,60}" + end + rb"|" + letters + rb"))"
            rb"(?:(?<=Aborted connection) \d{1,20} (to db: " + text + rb"{0,2000})" + end + rb")?"
        )

    @cached_property
    def knocks(self) -> re.Pattern[bytes]:
        """Finds the connections that were aborted before login: time and host, or no host where MySQL 8 names none."""
        hour, rest, thread = _HEADS[self.head]
        return re.compile(
            rb"\n"
            + _WRAPS[self.wrapping]
            + b"("
            + hour
            + rest
            + b")"
            + re.escape(self.zone.encode())
            + thread
            + _LABELS
            + rb"(?:Aborted connection \d{1,20} to db: '[^'\n]*' user: 'unauthenticated' host: '([^'\n]*)'|(?:"
            + b"|".join(reason.encode() for reason in BARE_REASONS)
            + b"))"
        )

    @property
    def _around_hour(self) -> tuple[bytes, bytes]:
        """Patterns of all of a head up to its hour, with the group open, and from there to the bracket."""
        hour, rest, thread = _HEADS[self.head]
        return _WRAPS[self.wrapping] + b"(" + hour, rest + re.escape(self.zone.encode()) + thread

    def style(self, mark: bytes) -> str | None:
        """The name in `formats` of the style of a line with that mark; empty without a head, ``None`` unwrapped."""
        if not mark.startswith(b" ["):
            return "" if mark.startswith(_WRAPPED) else None
        if self.head == "mysql":
            return "mysql 8" if b" [MY-" in mark else "mysql 5.7"
        return self.head


@lru_cache(64)
def _shape(wrapping: tuple[str, ...], head: str, zone: str) -> Shape:
    return Shape(wrapping, head, zone)


def shape_of(line: Line) -> Shape | None:
    """The shape that the line has; ``None`` where it is none that there are patterns for."""
    head = _STYLES.get(line.style)
    if head is None or line.wrapping not in _WRAPS or (head != "mysql" and line.zone):
        return None
    return _shape(line.wrapping, head, line.zone)


_HEADED = re.compile(rb" \[(\w+)\] ?(?:\[MY-(\d+)\] ?(?:\[\w*\] ?)?)?(.*)", re.DOTALL)
_COMPONENT = re.compile(rb"(?:(?:InnoDB|WSREP): ?'?)+")
# A line without a head, but perhaps with another wrapping or another style of head than the shape's.
_OTHER_SHAPE = re.compile(
    rb"[\d{<\[\x1b\xef/]|[A-Z][a-z]{2} (?:[ \d]\d |\d{4}-)|[\w.-]{1,128} *(?:\||\Z)"
    rb"|Version: |Tcp port: |Time +Id|nohup|--|\S*/|.*mysqld|.*mariadbd"
)
_RESTATED = b"13951"
_SETTLED = (
    (b"Aborted connection", Meaning.ABORTED),
    (b"Access denied for ", Meaning.DENIED),
    (b"IP address '", Meaning.UNRESOLVED),
)
_OPENINGS = tuple({saying.opening.encode() for saying in SAYINGS})


@lru_cache(20_000)
def meaning_of(mark: bytes) -> Meaning:
    """What a mark says of its lines."""
    if not mark.strip():
        return Meaning.EMPTY if len(mark) < _LETTERS else Meaning.CLOSE  # an indented line may go on
    headed = _HEADED.match(mark)
    if headed is None:
        return _without_head(mark)
    severity, code, message = headed.groups()
    for beginning, meaning in _SETTLED:
        if message.startswith(beginning):
            return meaning
    if message.startswith(b"Got "):
        return Meaning.BARE if abort_of(message.decode("utf-8", "replace")) else Meaning.CLOSE
    if (code is not None and code.lstrip(b"0") == _RESTATED) or _needs_a_look(message):
        return Meaning.CLOSE
    return Meaning.ERROR if severity in (b"ERROR", b"Error", b"error") else Meaning.DULL


def _without_head(mark: bytes) -> Meaning:
    text = mark.removeprefix(_WRAPPED)
    if _OTHER_SHAPE.match(text) or text.startswith(b"\\"):
        return Meaning.CLOSE
    return Meaning.EMPTY if text != mark or text.startswith(b"InnoDB: ") else Meaning.UNKNOWN


def _needs_a_look(message: bytes) -> bool:
    """Whether a message that begins so may be one of `SAYINGS`."""
    word, blank, _ = message.partition(b" ")
    # The name of a program, which may be a long path, hides what comes after it.
    if not blank or any(part in word for part in (b"/", b"\\", b"mysqld", b"mariadbd")):
        return True
    if b"Plugin group_replication".startswith(message):
        return True
    component = _COMPONENT.match(message)
    rest = message[component.end() :] if component else message
    if rest.startswith(b"[") or message[1:3] == b":\\":
        return True
    return any(opening.startswith(rest) or rest.startswith(opening) for opening in _OPENINGS)
