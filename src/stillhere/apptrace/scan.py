"""Tracebacks in undressed lines -> chains of exceptions: every form that puts Python's words in Python's order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stillhere.apptrace.boxes import unfolded
from stillhere.apptrace.chains import Chain, Link, Raised, Seen
from stillhere.apptrace.dress import Line
from stillhere.apptrace.frames import caret, code_of, place, unboxed
from stillhere.apptrace.groups import is_group, members, without_margin
from stillhere.apptrace.messages import Reading, read_message
from stillhere.apptrace.naming import is_database_line, named

__all__ = ["chains"]

LOOK_BACK = 60
"""Lines above a chain that may say what was asked for."""
LOOK_AHEAD = 80
MOST_STRAY = 60
"""Lines in a traceback that are no frames, variables say, before it is taken to have broken off."""
MOST_VALUES = 40
MOST_BLANK = 3
_SENTENCE_LINES = 12

_HEAD = re.compile(r"Traceback \((?:most recent call last|innermost last)\)")
_ABOVE = "(full traceback above)"  # stackprinter lists the frames a second time, in short
_CGITB_HEAD = "A problem occurred in a Python script."
_LINK = re.compile(r"(During handling of the above exception|The above exception)\b")
_REPEATED = re.compile(r"[^(]{1,60}\((.{0,4000})\)(?:, another exception occurred| was the direct cause)", re.DOTALL)
_SENTENCE_ENDS = ("another exception occurred:", "of the following exception:")
_OMITTED = re.compile(
    r"\s*(?:\[Previous line repeated |\.\.\.|\(\.\.\.\)|\(\d{1,6} additional frame|\[\d{1,6} (?:skipped )?frames?)"
)
_VALUE = re.compile(r"[\s│|]*(?:global )?([A-Za-z_][\w.]{0,80}) ?[=:] ?(b?[\"'].*)$")
_SHOWN = re.compile(r"[│|\s]*(?:└|->) (b?[\"'].*)$")
_STRAY = re.compile(
    r"[\s│|]*(?:(?:global )?[A-Za-z_][\w.]{0,80} ?[=:] |[A-Za-z_][\w.]{0,80} undefined|[╭╰\"'{}\]]"
    r"|function calls leading|-{3,}|\d{1,9}(?: |$)|-->|Variable values at)"
)


def chains(lines: Sequence[Line], start: int = 0) -> list[Chain]:
    """Every chain of exceptions in one undressed passage, in order; the lines before ``start`` only surround them."""
    lines = unfolded(lines)
    found: list[Chain] = []
    at, floor = start, 0
    while at < len(lines):
        if not _starts(lines[at].text):
            at += 1
            continue
        chain, after = _chain(lines, at)
        if chain is not None:
            _surround(chain, lines, floor, at, after)
            found.append(chain)
            if any(one.frames for one in chain.raised):
                floor = after
        at = max(after, at + 1)
    return found


def _starts(text: str) -> bool:
    return (
        _HEAD.search(text) is not None
        or place(text) is not None
        or text.startswith(_CGITB_HEAD)
        or is_database_line(text)
    )


def _surround(chain: Chain, lines: Sequence[Line], floor: int, start: int, after: int) -> None:
    """Give a chain the lines around it; what belongs to the chain before is not its own."""
    near = lines[max(floor, start - LOOK_BACK) : start]
    chain.end = lines[after - 1].number
    chain.before = [line.text for line in near]
    chain.after = [line.text for line in lines[after : after + LOOK_AHEAD]]
    heading = next((line for line in reversed(near) if line.text.strip()), None)
    for line in (lines[start], heading):
        if line is not None and (line.at or line.process is not None):
            chain.at, chain.process, chain.thread = line.at, line.process, line.thread
            break
    ids = chain.process, chain.thread
    chain.own_log = [line.text for line in near if not line.at or (line.process, line.thread) == ids]


def _chain(lines: Sequence[Line], start: int) -> tuple[Chain | None, int]:
    chain = Chain(line=lines[start].number)
    at, link = start, Link.FIRST
    while True:
        if at < len(lines) and is_group(lines[at].text):
            some, after = _group(lines, at)
        else:
            one, after = _raised(lines, at)
            one.headed = one.headed or link is not Link.FIRST  # the sentence between two of them is its head
            some = [one] if one.name or one.message or one.frames else []
        if some:
            some[0].link = link
            chain.raised += some
        following = _link(lines, after)
        if following is None:
            return (chain, after) if chain.raised else (None, after)
        link, message, at = following
        if message and some and not some[-1].message:
            some[-1].message = message


def _group(lines: Sequence[Line], start: int) -> tuple[list[Raised], int]:
    """An exception group: its members' exceptions, then its own."""
    inner: list[Line] = []
    for line in lines[start:]:
        bare = without_margin(line)
        if bare is None:
            break
        inner.append(bare)
    head, parts = members(inner)
    group, _ = _raised(head, 0)
    some: list[Raised] = []
    for part in parts:
        for chain in chains(part):
            chain.raised[0].link = Link.GROUP if some else Link.FIRST
            some += chain.raised
    group.link = Link.GROUP
    return [*some, group], start + max(len(inner), 1)


def _link(lines: Sequence[Line], at: int) -> tuple[Link, str, int] | None:
    """The sentence between two exceptions, the message that it repeats, and where the next one begins."""
    while at < len(lines) and not unboxed(lines[at].text).strip():
        at += 1
    if at == len(lines):
        return None
    found = _LINK.match(unboxed(lines[at].text).strip())
    if found is None:
        return None
    sentence: list[str] = []
    for line in lines[at : at + _SENTENCE_LINES]:
        at += 1
        sentence.append(unboxed(line.text).strip())
        if sentence[-1].endswith(_SENTENCE_ENDS):
            break
    while at < len(lines) and not unboxed(lines[at].text).strip():
        at += 1
    repeated = _REPEATED.match("\n".join(sentence))
    link = Link.CONTEXT if found[1].startswith("During") else Link.CAUSE
    return link, repeated[1] if repeated else "", at


def _raised(lines: Sequence[Line], at: int) -> tuple[Raised, int]:
    """One exception: its head, its frames, its name, its message."""
    raised = Raised(line=lines[at].number if at < len(lines) else 0)
    if at == len(lines):
        return raised, at
    text = lines[at].text
    if place(text) is None:
        if _HEAD.search(text) is None and not text.startswith(_CGITB_HEAD):
            return _named_first(raised, lines, at)
        at += 1
    else:
        raised.headed = False
    return _frames(raised, lines, at)


def _named_first(raised: Raised, lines: Sequence[Line], at: int) -> tuple[Raised, int]:
    """An exception that is named before its frames, if it has any: the form of mails and of single log lines."""
    indent = lines[at].indent
    at = read_message(raised, lines, at)
    look = at
    while look < len(lines) and look < at + MOST_BLANK and _OMITTED.match(lines[look].text or "..."):
        look += 1
    if look == len(lines) or place(lines[look].text) is None or lines[look].indent <= indent:
        return raised, at
    below, after = _frames(Raised(), lines, look)
    if below.name:  # those frames are another exception's
        return raised, at
    raised.frames = below.frames
    raised.headed = look == at  # lines between say that frames were left out
    return raised, after


def _frames(raised: Raised, lines: Sequence[Line], at: int) -> tuple[Raised, int]:
    """Its frames with their details, down to the line that names it or to where the text breaks off."""
    stack = _Stack(raised)
    while at < len(lines):
        line = lines[at]
        bare = unboxed(line.text).strip()
        if not bare:
            if not stack.blank():
                break
        elif not stack.frame(line):
            if _HEAD.search(line.text) or _LINK.match(bare):
                break
            if not stack.detail(line):
                if stack.ends_with(line, bare):
                    return raised, read_message(raised, lines, at, stack.reading)
                if not stack.stray(line):
                    break
        at += 1
    return raised, at


class _Stack:
    """The frames of one exception while they are read; each method says whether the line was its own."""

    def __init__(self, raised: Raised) -> None:
        self._raised = raised
        self._seen: Seen | None = None
        self._repeated = False
        self._blank = 0
        self._stray = 0
        self.reading = Reading(indent=-1)

    def blank(self) -> bool:
        """An empty line; too many of them before the first frame end it."""
        self._blank += 1
        return self._seen is not None or self._blank <= MOST_BLANK

    def frame(self, line: Line) -> bool:
        """A line that names a place, or says that the places are told again."""
        if _ABOVE in line.text:
            self._repeated = True
            return True
        found = place(line.text)
        if found is None:
            return False
        self._seen = Seen(found)
        if not self._repeated:
            self._raised.add(self._seen)
        self.reading = Reading(indent=line.indent, dress=line.dress)
        self._stray = self._blank = 0
        return True

    def detail(self, line: Line) -> bool:
        """Source or variables below a frame."""
        if self._seen is None or (line.indent <= self.reading.indent and "│" not in line.text):
            return False
        _detail(self._seen, line.text)
        self._blank = 0
        return True

    def ends_with(self, line: Line, bare: str) -> bool:
        """The line that names the exception."""
        strict = self._seen is None or self._blank > 0
        return named(bare, strict=strict) is not None and not _VALUE.match(line.text)

    def stray(self, line: Line) -> bool:
        """A line that only some forms have; too many of them in a row are no traceback any more."""
        self._stray += 1
        self._blank = 0
        if self._stray > MOST_STRAY or not (_OMITTED.match(line.text) or _STRAY.match(line.text)):
            return False
        if self._seen is not None:
            _detail(self._seen, line.text)
        return True


def _detail(seen: Seen, text: str) -> None:
    """A line below a frame: its source, or a variable."""
    if (shown := _SHOWN.match(text)) is not None:
        _keep(seen, "", shown[1])
    elif caret(text):
        return
    elif (value := _VALUE.match(unboxed(text))) is not None and (seen.code or seen.at.numbered):
        _keep(seen, value[1], value[2])
    elif not seen.code and (code := code_of(text, seen.at)) is not None:
        seen.code = code[0]


def _keep(seen: Seen, name: str, value: str) -> None:
    if len(seen.values) < MOST_VALUES:
        seen.values.append((name, value))
