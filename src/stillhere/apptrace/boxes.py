"""The boxes that rich draws: a place that did not fit on one line of a narrow one is put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stillhere.apptrace.dress import Line
from stillhere.apptrace.frames import place, unboxed

__all__ = ["unfolded"]

MOST_FOLDS = 12


def unfolded(lines: Sequence[Line]) -> list[Line]:
    """The lines, with each folded place on the first of its lines and blanks on the others."""
    if not any("╭" in line.text for line in lines):
        return list(lines)
    out = list(lines)
    at = 0
    while at < len(out):
        end = at
        while end < min(at + MOST_FOLDS, len(out)) and _is_words(out[end].text):
            end += 1
        if end - at > 1:
            _unfold(out, at, end)
        at = max(end, at + 1)
    return out


def _is_words(text: str) -> bool:
    """Whether a boxed line holds neither source nor variables: those are indented or numbered."""
    stripped = text.lstrip()
    return stripped.startswith("│ ") and stripped[2:3] not in ("", " ", "│", "❱", "╭", "╰")


def _unfold(out: list[Line], start: int, end: int) -> None:
    """Put places together in one run of lines; each is the shortest run of lines that names a place."""
    at = start
    while at < end:
        if place(out[at].text) is None:
            for last in range(at + 1, end):
                parts = [unboxed(line.text).strip() for line in out[at : last + 1]]
                whole = next((text for text in _joined(parts) if place(f"│ {text} │")), None)
                if whole is not None:
                    out[at] = replace(out[at], text=f"│ {whole} │")
                    for index in range(at + 1, last + 1):
                        out[index] = replace(out[index], text="│ │")
                    at = last
                    break
        at += 1


def _joined(parts: list[str]) -> tuple[str, ...]:
    """The ways in which lines may have been one: broken at a blank, or in the middle of a long word."""
    return " ".join(parts), "".join(parts[:-1]) + " " + parts[-1], "".join(parts)
