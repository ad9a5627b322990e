"""Setting one variable in an option file: the fewest bytes that do it, everything else as it was."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from stillhere.errors import ConfigurationError
from stillhere.masking import MASK, mask_sql
from stillhere.tune.optionfile import Kind, Line, OptionFile, parse
from stillhere.tune.spelling import Conventions, same_value, text

__all__ = ["diff", "masked_line", "with_value"]

_SECRET = re.compile(
    r"(?i)([\w-]*(?:passw|pwd|passphrase|secret|token|credential|sst[_-]auth|init[_-]connect)[\w-]*\s*[=:]\s*)\S.*"
)
_PREFERRED = ("mysqld", "mariadbd", "mariadb", "server")


def with_value(file: OptionFile, variable: str, value: str, rules: Conventions) -> OptionFile:
    """The file with the variable set.

    The last line that sets it gets the new value, with its spelling, quotes, indentation and comment; where there is
    none, a line goes to the end of the last group that the server reads. Setting what is set already changes nothing.

    Args:
        file: as parsed.
        variable: its name, with ``_``.
        value: a number or a word, without quotes.
        rules: how the server reads it.

    Raises:
        ConfigurationError: a server would not read the file as it stands.
    """
    for number, problem in file.problems:
        raise ConfigurationError(f"line {number} {problem}; it is not changed while servers can't read it whole")
    found = None
    for at, line in enumerate(file.lines):
        meaning = rules.meaning(line)
        if meaning is not None and meaning[0] == variable:
            found = at, line, meaning[1]
    if found is None:
        return parse(_inserted(file, variable, value, rules))
    at, line, before = found
    if same_value(before, value):
        return file
    raw = list(file.lines)
    raw[at] = Line(_rewritten(line, variable, value, rules), Kind.OPTION)
    return parse(b"".join(one.raw for one in raw))


def diff(before: OptionFile, after: OptionFile, name: str) -> list[str]:
    """A unified diff, without line ends, secrets masked. Empty where both are the same."""
    return [
        masked_line(line)
        for line in difflib.unified_diff(_texts(before), _texts(after), f"{name} (now)", f"{name} (then)", lineterm="")
    ]


def masked_line(line: str) -> str:
    """A line of an option file, or of a diff of one, without passwords."""
    return mask_sql(_SECRET.sub(rf"\1{MASK}", line))


def _texts(file: OptionFile) -> list[str]:
    return [text(line.raw).rstrip("\r\n").encode("utf-8", "replace").decode() for line in file.lines]


def _rewritten(line: Line, variable: str, value: str, rules: Conventions) -> bytes:
    new = value.encode()
    if rules.direct(line, variable) and line.value_at is not None:
        start, end = line.value_at
        return line.raw[:start] + new + line.raw[end:]
    # "skip-name-resolve", "disable_X=1": the form says the value, so that the form has to go.
    start = line.name_at[0]
    end = line.name_at[1] if line.value_at is None else _after_quote(line)
    return line.raw[:start] + f"{variable} = ".encode() + new + line.raw[end:]


def _after_quote(line: Line) -> int:
    start, end = line.value_at or (0, 0)
    quoted = line.raw[start - 1 : start] in {b'"', b"'"} and line.raw[end : end + 1] == line.raw[start - 1 : start]
    return end + 1 if quoted else end


def _inserted(file: OptionFile, variable: str, value: str, rules: Conventions) -> bytes:
    at, model = _place(file, rules)
    newline = _newline(file.lines)
    raw = [line.raw for line in file.lines]
    if at is None:
        group = "mysqld"  # read by every server of either family
        text_ = f"[{group}]".encode() + newline + f"{variable} = {value}".encode()
        before = b"".join(raw)
        if not before:
            return text_ + newline
        gap = newline if before.endswith(b"\n") else newline + newline
        return before + gap + text_ + (newline if before.endswith(b"\n") else b"")
    addition = _indentation(model) + variable.encode() + _separator(model) + value.encode()
    last = raw[at]
    if last.endswith(b"\n"):
        raw.insert(at + 1, addition + newline)
    else:
        raw[at] = last + newline + addition
    return b"".join(raw)


def _place(file: OptionFile, rules: Conventions) -> tuple[int | None, Line | None]:
    """After which line it goes, and the line whose manner it takes on."""
    groups = {text(line.group).lower() for line in file.lines if line.kind is Kind.GROUP and rules.reads(line)}
    group = next((name for name in (*_PREFERRED, *sorted(groups)) if name in groups), None)
    at, model = None, None
    for number, line in enumerate(file.lines):
        if line.kind in {Kind.GROUP, Kind.OPTION} and text(line.group).lower() == group:
            at = number
            model = line if line.kind is Kind.OPTION else None
    return at, model


def _newline(lines: Iterable[Line]) -> bytes:
    ends = [line.end for line in lines if line.end]
    return b"\r\n" if sum(end == b"\r\n" for end in ends) * 2 > len(ends) else b"\n"


def _indentation(model: Line | None) -> bytes:
    return model.raw[: model.name_at[0]] if model is not None else b""


def _separator(model: Line | None) -> bytes:
    if model is None or model.value_at is None:
        return b" = "
    between = model.raw[model.name_at[1] : model.value_at[0]].rstrip(b"\"'")
    return between if between.strip() == b"=" and between.isascii() and len(between) <= len(b"  =  ") else b" = "
