"""The margin that Python draws around exception groups, taken off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from stillhere.apptrace.dress import Line

__all__ = ["is_group", "members", "without_margin"]

_HEAD = re.compile(r"\s*\+ Exception Group Traceback \(most recent call last\):")
_MARGIN = re.compile(r"\s*(?:\| ?|\+ (?=Exception Group))")
_RULE = re.compile(r"\s*\+[-+]{3,}(?: (\d{1,6}|\.\.\.) -{3,})?$")


def is_group(text: str) -> bool:
    """Whether an exception group begins on that line."""
    return _HEAD.match(text) is not None


def without_margin(line: Line) -> Line | None:
    """The line without its margin; a rule between members as it is; ``None`` outside the group."""
    if _RULE.match(line.text):
        return line
    margin = _MARGIN.match(line.text)
    return replace(line, text=line.text[margin.end() :]) if margin else None


def members(lines: Sequence[Line]) -> tuple[list[Line], list[list[Line]]]:
    """The group's own lines, and those of each member."""
    parts: list[list[Line]] = [[]]
    for line in lines:
        if _RULE.match(line.text):
            parts.append([])
        else:
            parts[-1].append(line)
    return parts[0], [part for part in parts[1:] if part]
