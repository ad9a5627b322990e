"""The lines of a traceback that say where: one recogniser for each way of writing them."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Place", "caret", "code_of", "place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one frame stands, as its line says.

    Attributes:
        numbered: whether its source lines carry their numbers, so that the one in question must be picked out.
        in_app: whether the report itself says that it is the application's code; ``None`` where it doesn't.
    """

    path: str
    line: int
    function: str
    numbered: bool = False
    in_app: bool | None = None


_PYTHON = re.compile(r'(?:> )?File "([^"\n]{1,1000})", line (\d{1,9}), in (.{1,300})')
_NOTEBOOK = re.compile(r"File ([^\s\"][^\n\"]{0,500}?):(\d{1,9}), in ([\w.<>]{1,200})")
_RICH = re.compile(r"([^\s│][^│\n]{0,500}?\.\w{1,4}|<[\w -]{1,60}>):(\d{1,9}) in ([\w.<>]{1,200})$")
_CGITB = re.compile(r"([^\s][^\n()]{0,500}?\.\w{1,4}) in ([\w.<>]{1,200})\(")
_SENTRY = re.compile(
    r"([\w.<>$ ]{1,200}?) in (?:file )?([^\s\[\]][^\n\[\]]{0,500}) \[Line (\d{1,9})(?:, column \d{1,9})?\]"
    r" \((In app|Not in app)\)"
)
_CARET = re.compile(r"[\s~^│|└─>]+$")
_ANNOTATION = re.compile(r"[│|\s]*(?:└|->) ")
_NUMBERED = re.compile(r"\s*(?:❱|-{1,4}>)?\s{0,8}(\d{1,9})(?:\s|$)\s?(?:│ ?)?(.*)$")
_BOX = re.compile(r"\s*[│|] ?(.*?)\s*[│|]?$")


def place(text: str) -> Place | None:
    """The place that this line names, if it is the line of a frame."""
    stripped = unboxed(text).strip()
    if "File " in stripped[:8]:
        return _of_python(stripped)
    return _of_another(stripped, text) if " in " in stripped else None


def _of_python(stripped: str) -> Place | None:
    if found := _PYTHON.match(stripped):
        return Place(found[1], int(found[2]), found[3].strip())
    if found := _NOTEBOOK.match(stripped):
        return Place(found[1], int(found[2]), found[3], numbered=True)
    return None


def _of_another(stripped: str, text: str) -> Place | None:
    if stripped.endswith("app)") and (found := _SENTRY.match(stripped)):
        return Place(found[2].strip(), int(found[3]), found[1].strip(), in_app=found[4] == "In app")
    if "│" in text and (found := _RICH.match(stripped)):
        return Place(found[1], int(found[2]), found[3], numbered=True)
    if text[:1] == " " and text[1:2] != " " and (found := _CGITB.match(stripped)):
        return Place(found[1], 0, found[2], numbered=True)
    return None


def unboxed(text: str) -> str:
    """Without the box that rich draws around a traceback."""
    if "│" not in text:
        return text
    found = _BOX.match(text)
    return found[1] if found and text.lstrip()[:1] == "│" else text


def caret(text: str) -> bool:
    """Whether a line only points at the one above it, or says what was in one of its names."""
    return _CARET.match(text) is not None or _ANNOTATION.match(text) is not None


def code_of(text: str, at: Place) -> tuple[str, int] | None:
    """The source line that this line shows for that place, and its number; ``None`` where it shows another."""
    if at.line == 0:
        return None
    if not at.numbered:
        if (found := _NUMBERED.match(text)) is None or not text.lstrip().startswith("-->"):
            return (text.strip(), at.line) if found is None or int(found[1]) == at.line else None
        return found[2].strip(), int(found[1])
    found = _NUMBERED.match(unboxed(text))
    if found is None or (at.line and int(found[1]) != at.line):
        return None
    return found[2].replace("│   ", "").lstrip("│ ").strip(), int(found[1])
