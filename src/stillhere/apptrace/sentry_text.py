"""Sentry's issue copied as Markdown: exceptions as headings, frames with the innermost first, variables as JSON.

The form is that of Sentry's own web interface: "### Exception 1", "**Type:**", "**Value:**", then in a fence one line
``function in file [Line 31] (In app)`` for each frame, with its source lines below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stillhere.apptrace.chains import Chain, Link, Raised, Seen
from stillhere.apptrace.dress import Line
from stillhere.apptrace.frames import place
from stillhere.apptrace.naming import is_database_name
from stillhere.apptrace.structured import loaded

__all__ = ["sentry_chains"]

_TYPE = re.compile(r"\s*\*\*Type:\*\* (.{1,300})$")
_VALUE = re.compile(r"\s*\*\*Value:\*\* (.{0,4000})$")
_TAG = re.compile(r"\s*- \*\*(transaction|url|runtime\.name|celery_task_id):\*\* (.{1,1000})$")
_DATE = re.compile(r"\s*\*\*Date:\*\* (\d{4}-\d\d-\d\d.{0,40})$")
_OTHER = "Traceback (most recent call last)"  # Python's own form: another report begins
_SUSPECT = "<-- SUSPECT LINE"
_VARIABLES = "Variable values at the time of the exception:"
MOST_VARIABLE_LINES = 400


def sentry_chains(lines: Sequence[Line]) -> tuple[list[Chain], int]:
    """The chain in such a copy, and how many of the lines are its own; none and 0 in any other text."""
    start = next((index for index, line in enumerate(lines) if _TYPE.match(line.text)), None)
    if start is None:
        return [], 0
    chain = Chain(line=lines[start].number)
    for line in lines[:start]:
        if found := _TAG.match(line.text):
            chain.request = found[2].strip() if found[1] == "transaction" else chain.request
        elif found := _DATE.match(line.text):
            chain.at = found[1].strip()
    at = start
    while at < len(lines) and _OTHER not in lines[at].text:
        if _TYPE.match(lines[at].text):
            raised, at = _exception(lines, at)
            wraps = bool(chain.raised) and is_database_name(raised.name)
            raised.link = (Link.CAUSE if wraps else Link.CONTEXT) if chain.raised else Link.FIRST
            chain.raised.append(raised)
        else:
            at += 1
    chain.end = lines[at - 1].number
    return [chain], at


def _exception(lines: Sequence[Line], at: int) -> tuple[Raised, int]:
    kind = _TYPE.match(lines[at].text)
    raised = Raised(name=kind[1].strip() if kind else "", line=lines[at].number)
    at += 1
    message: list[str] = []
    frames: list[Seen] = []
    while at < len(lines) and not _TYPE.match(lines[at].text) and _OTHER not in lines[at].text:
        text = lines[at].text
        if found := _VALUE.match(text):
            message.append(found[1])
        elif (where := place(text)) is not None and where.in_app is not None:
            frames.append(Seen(where))
        elif frames and text.strip() == _VARIABLES:
            at = _variables(frames[-1], lines, at + 1)
            continue
        elif frames and text.rstrip().endswith(_SUSPECT):
            frames[-1].code = text.rstrip().removesuffix(_SUSPECT).strip()
        elif message and not frames and not text.startswith(("#", "```")):
            message.append(text)
        at += 1
    raised.message = "\n".join(message).strip()
    raised.frames = frames[::-1]
    return raised, at


def _variables(seen: Seen, lines: Sequence[Line], at: int) -> int:
    end = at
    while end < min(at + MOST_VARIABLE_LINES, len(lines)) and lines[end].text.rstrip() != "}":
        end += 1
    values = loaded("\n".join(line.text for line in lines[at : end + 1]))
    if not isinstance(values, dict):
        return at
    seen.values = [(str(name), value) for name, value in list(values.items())[:40] if isinstance(value, str)]
    return end + 1
