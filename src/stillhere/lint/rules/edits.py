"""Edits that several rules make: a keyword or a dictionary key more, a keyword less."""

from __future__ import annotations

import ast
import re

from stillhere.lint.rules.base import Edit
from stillhere.lint.source import Source

__all__ = ["add_key", "add_keyword", "drop_keyword"]

_NOTHING_BUT_A_COMMA = re.compile(r"\s*,?\s*\Z")


def add_keyword(source: Source, call: ast.Call, addition: str) -> tuple[Edit, ...]:
    """Put ``name=value`` at the end of a call's arguments; nothing where its end is not plain to see."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    start, end = source.segment(call)
    if not arguments:
        return (Edit(end - 1, end - 1, addition),)
    last = max(source.segment(one)[1] for one in arguments)
    return _after(source, last, end - 1, f", {addition}") if start < last else ()


def add_key(source: Source, display: ast.Dict, addition: str) -> tuple[Edit, ...]:
    """Put ``"key": value`` at the end of a dictionary display, on a line of its own where the others have theirs."""
    start, end = source.segment(display)
    if not display.values:
        return (Edit(end - 1, end - 1, addition),)
    last = max(source.segment(value)[1] for value in display.values)
    key = display.keys[-1]
    if key is not None and key.lineno > display.lineno:
        line_start = source.starts[key.lineno - 1]
        indent = source.text[line_start : source.segment(key)[0]]
        newline = re.search(r"\r\n|\r|\n", source.text[start:end])
        if newline is not None and not indent.strip():
            return _after(source, last, end - 1, f",{newline.group()}{indent}{addition}")
    return _after(source, last, end - 1, f", {addition}")


def drop_keyword(source: Source, call: ast.Call, keyword: ast.keyword) -> tuple[Edit, ...]:
    """Take a keyword and the comma before it out of a call."""
    start, end = source.segment(keyword)
    before = [source.segment(one)[1] for one in (*call.args, *(one.value for one in call.keywords if one != keyword))]
    earlier = [place for place in before if place <= start]
    if earlier:
        gap = source.text[max(earlier) : start]
        return (Edit(max(earlier), end, ""),) if re.fullmatch(r"\s*,\s*", gap) else ()
    rest = re.match(r"\s*,?\s*", source.text[end:])
    return (Edit(start, end + (rest.end() if rest else 0), ""),)


def _after(source: Source, last: int, close: int, addition: str) -> tuple[Edit, ...]:
    """Insert behind the last value, and behind the brackets that it may stand in."""
    tail = source.text[last:close]
    code = tail.partition("#")[0]
    if _NOTHING_BUT_A_COMMA.match(code):
        return (Edit(last, last, addition),)
    if "#" not in tail and re.fullmatch(r"[\s)]*,?\s*", tail):
        at = last + tail.rindex(")") + 1
        return (Edit(at, at, addition),)
    return ()
