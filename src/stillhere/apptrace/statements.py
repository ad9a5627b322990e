"""The SQL that a report shows, and what can be said of its size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stillhere.apptrace.chains import Seen
from stillhere.apptrace.places import is_library

__all__ = ["Shown", "shown_in_code", "shown_in_message", "shown_in_values"]

MOST_STATEMENT = 4000
_SQL = re.compile(r"\[SQL: ?")
_PARAMETERS = re.compile(r"\]?\s*\[parameters: ?")
_END = re.compile(r"\]\s*(?:\[parameters:|\(Background on this error|$)")
_BACKGROUND = re.compile(r"\s*\(Background on this error at.*$", re.DOTALL)
_TRUNCATED = re.compile(r"\.\.\. \((\d{1,12}) characters truncated\) \.\.\.")
_SETS = re.compile(r"\.\.\. displaying \d{1,9} of (\d{1,9}) total bound parameter sets")
_PLACEHOLDER = re.compile(r"%s|%\(\w{1,100}\)s|\?|:\w{1,100}")
_HALF = re.compile(r"(?:%(?:\(\w{0,100}\)?)?|:\w{0,100})$")
_MANY = re.compile(r"\[\s*(?:\(.{0,2000}?\), \(|\{.{0,2000}?\}, \{)", re.DOTALL)
_CALL = re.compile(r"\.(execute|executemany|exec_driver_sql)\(\s?([\"'])((?:[^\"'\\]|\\.|(?!\2)[\"'])*+)\2\s?[,)]")
_VERB = re.compile(
    r"\s*(?:/\*.{0,200}?\*/\s*)?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL|SET|SHOW|CREATE|ALTER|DROP|TRUNCATE"
    r"|LOAD|LOCK|ANALYZE|OPTIMIZE|GRANT|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|KILL|FLUSH|DO|EXPLAIN)\b",
    re.IGNORECASE | re.DOTALL,
)
_NAMES = frozenset({"statement", "sql", "query", "q", "operation", "mogrified_query", "stmt", "str_statement"})
_REPR = re.compile(r"(b?)(?:'((?:[^'\\]|\\.)*+)'|\"((?:[^\"\\]|\\.)*+)\")(.*)$", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_BYTES_OF_TEXT = 2 / 5
_BYTES_OF_BYTES = 1 / 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A statement as shown.

    Attributes:
        text: on one line, not masked yet; empty where none is shown.
        size: its bytes as sent, where all of it is shown.
        at_least: bytes that it had at the least.
        many: whether several sets of parameters went with it.
    """

    text: str = ""
    size: int | None = None
    at_least: int = 0
    many: bool = False


def shown_in_message(message: str) -> Shown:
    """What SQLAlchemy wrote under an error: ``[SQL: …]`` and ``[parameters: …]``."""
    start = _SQL.search(message)
    if start is None:
        return Shown()
    rest = message[start.end() :]
    parameters = _PARAMETERS.search(rest)
    cut = _BACKGROUND.sub("", rest[: parameters.start()] if parameters else rest).rstrip()
    closed = parameters is not None or cut.endswith("]")
    text = cut[:-1] if cut.endswith("]") and parameters is None else cut
    values = rest[parameters.end() :] if parameters else ""
    whole = closed and "..." not in text[-4:]
    plain = (
        whole
        and "%" not in text
        and not _PLACEHOLDER.search(text)
        and (parameters is None or values.startswith(("()]", "{}]", "[]]")))
    )
    many = _SETS.search(values) is not None or _MANY.match(values) is not None
    return Shown(
        text=_one_line(text),
        size=len(text.encode("utf-8", "replace")) if plain and "\n" not in text else None,
        at_least=_at_least(text, values),
        many=many,
    )


def shown_in_values(frames: Iterable[Seen]) -> Shown:
    """A statement among the variables shown of the driver's and the framework's frames, which come innermost first."""
    for frame in frames:
        if not is_library(frame.at.path):
            continue
        for name, value in frame.values:
            found = _REPR.match(value)
            if found is None or (name and name.rpartition(".")[2] not in _NAMES):
                continue
            inside = found[2] if found[2] is not None else found[3]
            if not _VERB.match(inside):
                continue
            text = _unescaped(inside)
            whole = not found[4].strip(" │,") and "..." not in inside and not _PLACEHOLDER.search(text)
            exact = found[1] == "b" and whole
            size = len(text.encode("latin-1", "replace") if found[1] else text.encode("utf-8", "replace"))
            return Shown(_one_line(text), size if exact else None, size if whole else 0)
    return Shown()


def shown_in_code(frames: Sequence[Seen]) -> Shown:
    """A statement written out in the line of source that hands it to the driver: ``cursor.execute("SELECT …")``."""
    for outer, inner in zip(reversed(frames[:-1]), reversed(frames), strict=False):
        if is_library(outer.at.path) or not is_library(inner.at.path):
            continue
        found = _CALL.search(outer.code)
        if found is None or not _VERB.match(found[3]):
            return Shown()
        return Shown(_one_line(_unescaped(found[3])), at_least=_at_least(found[3], ""), many=found[1] == "executemany")
    return Shown()


def _at_least(text: str, values: str) -> int:
    r"""A lower bound of the bytes sent: the statement without its placeholders, and what was left out.

    SQLAlchemy counts the characters of a ``repr``: one byte takes up to four of them (``\\x00``), one character of
    text up to ten for four bytes of UTF-8.
    """
    written = _PLACEHOLDER.sub("", text).replace("%%", "%")  # a doubled sign is sent once
    least = len(_HALF.sub("", written).encode("utf-8", "replace"))
    for found in _TRUNCATED.finditer(values[:200_000]):
        before = values[max(0, found.start() - 400) : found.start()]
        binary = max(before.rfind("b'"), before.rfind('b"')) > max(
            before.rfind(" '"), before.rfind('("'), before.rfind("('")
        )
        least += int(int(found[1]) * (_BYTES_OF_BYTES if binary else _BYTES_OF_TEXT))
    return least


def _one_line(text: str) -> str:
    flat = re.sub(r"\s*\n\s*", " ", text).strip()
    return flat if len(flat) <= MOST_STATEMENT else flat[:MOST_STATEMENT] + " …"


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[0])

    return _ESCAPE.sub(plain, text)
