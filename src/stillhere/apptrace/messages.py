"""The words of one exception: its name, its message on however many lines, and its notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stillhere.apptrace.chains import Raised
from stillhere.apptrace.dress import Line
from stillhere.apptrace.frames import place, unboxed
from stillhere.apptrace.naming import named

__all__ = ["Reading", "read_message"]

MOST_LINES = 400
"""Lines of one message: a long statement has as many."""
MOST_NOTES = 20
_SQL = re.compile(r"\[SQL: ?|\[parameters: ?|\(Background on this error at")
_INLINE = re.compile(
    r"((?:[A-Za-z_]\w{0,80}\.){0,8}[A-Za-z_]\w{0,80}(?:Error|Exception))(?::? ?(?=\()|: )(.*)$", re.DOTALL
)
_ENDS = re.compile(
    r"(?:[+|] ?)?(?:Traceback \(|(?:Exception )?Group Traceback|During handling of the above|The above exception)"
    r"|```|~~~|#{1,6} |\*\*\w|</|Exception Type:|Exception Value:|Exception Location:|Request Method:"
)
_RECORD = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3} |[\[{<$]|(?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL)\b|[-=*]{2,}|Exception |Task "
    r"|\d{4}-\d\d-\d\d|\w{3} \w{3} {1,2}\d|goroutine |\d{2}:\d\d:\d\d|\w[\w.-]{0,40}@|\"[A-Z]{3,7} |__\w{1,40}__ "
)
_BACKGROUND = "(Background on this error at"


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a message stands: how deep, and in which dress, the lines of its frames are.

    Attributes:
        indent: of the last frame's line; -1 without frames.
        dress: of the last frame's line; ``None`` without frames.
    """

    indent: int
    dress: str | None = None


def read_message(raised: Raised, lines: Sequence[Line], at: int, reading: Reading | None = None) -> int:
    """Fill in name, message and notes from the line that names the exception.

    Args:
        raised: what is filled in.
        lines: the passage.
        at: the index of that line.
        reading: where its frames stand; none where it is named without frames above it.

    Returns:
        The index of the line after them.
    """
    first = lines[at]
    text = unboxed(first.text).strip()
    found = named(text, strict=reading is None)
    if found is None and (inline := _INLINE.search(text)) is not None:
        found = inline[1], inline[2]
    raised.name, start = found or ("", text)
    raised.heading = first.text if reading is None else ""
    message = [start]
    at = _continued(message, lines, at + 1, first)
    raised.message = "\n".join(message)
    return _notes(raised, lines, at, first) if reading is not None else at


def _continued(message: list[str], lines: Sequence[Line], at: int, first: Line) -> int:
    """Lines of SQLAlchemy's that follow the driver's message: the statement, its parameters, the link."""
    if _SQL.search(message[0]):
        opened = True
    else:
        opened = at < len(lines) and _SQL.match(unboxed(lines[at].text).strip()) is not None
        if not opened and not _unfinished(message[0]):
            return at
    end = at
    for index in range(at, min(at + MOST_LINES, len(lines))):
        line = lines[index]
        text = unboxed(line.text).strip()
        if _ENDS.match(text) or place(line.text) is not None or _other_record(line, first):
            break
        following = unboxed(lines[index + 1].text).strip() if index + 1 < len(lines) else ""
        if not text and not _open(message) and not _SQL.match(following):
            break
        if not opened and _SQL.match(text):
            opened = True
        if _done(message) and not _SQL.match(text):
            break
        message.append(text)
        end = index + 1
        if text.startswith(_BACKGROUND):
            break
    return end


def _unfinished(text: str) -> bool:
    """Whether a driver's message of the form ``(2006, '…`` has not come to its end."""
    return text.startswith("(") and text.count("(") > text.count(")")


def _open(message: list[str]) -> bool:
    """Whether a bracket of SQLAlchemy's is still open, so that even a blank line belongs to it."""
    last = next((part for part in reversed(message) if _SQL.search(part)), "")
    return bool(last) and not message[-1].endswith(("]", ")"))


def _done(message: list[str]) -> bool:
    """Whether what was read so far may be all."""
    return message[-1].endswith(("]", ")"))


def _other_record(line: Line, first: Line) -> bool:
    """Whether another logger, or the same one at another time, wrote that line."""
    return bool(line.dress) and not first.dress


def _notes(raised: Raised, lines: Sequence[Line], at: int, first: Line) -> int:
    """PEP 678 notes: whole lines right below the message, in the same dress as it."""
    while at < len(lines) and len(raised.notes) < MOST_NOTES:
        line = lines[at]
        text = unboxed(line.text).strip()
        if not text or line.dress != first.dress or _ENDS.match(text) or place(line.text) is not None:
            break
        if (
            line.indent != first.indent
            or _BACKGROUND.startswith(text[: len(_BACKGROUND)])
            or (_RECORD.match(text) and not text.startswith("stillhere: "))
        ):
            break
        raised.notes.append(text)
        at += 1
    return at
