"""Tracebacks in undressed lines -> chains of exceptions. Every form that ends in Python's own words goes through here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stillhere.apptrace.chains import Chain, Link, Raised, Seen
from stillhere.apptrace.dress import Line
from stillhere.apptrace.errors_of import is_database_line, named
from stillhere.apptrace.frames import caret, code_of, place, unboxed
from stillhere.apptrace.groups import is_group, members, without_margin

__all__ = ["chains"]

MOST_MESSAGE_LINES = 400
MOST_NOTES = 20
MOST_VALUES = 40
LOOK_BACK = 60
LOOK_AHEAD = 80
MOST_STRAY = 60
"""Lines inside a traceback that may be variables, before it is taken to have broken off."""

_HEAD = re.compile(r"(?:Exception Group )?Traceback \((?:most recent call last|innermost last)\)")
_CGITB_HEAD = "A problem occurred in a Python script."
_LINK = re.compile(r"(During handling of the above exception|The above exception)\b(.{0,2000})", re.DOTALL)
_LINK_TEXT = re.compile(r"\s*\((.{0,1900})\)(?:, another exception occurred| was the direct cause)", re.DOTALL)
_OMITTED = re.compile(
    r"\s*(?:\[Previous line repeated |\.\.\.|\(\.\.\.\)|\(\d{1,6} additional frame|\[\d{1,6} (?:skipped )?frames?|\.{20,})"
)
_VALUE = re.compile(r"[\s│|]*(?:global )?([A-Za-z_][\w.]{0,80}) ?[=:] ?(b?[\"'].*)$")
_STRAY = re.compile(r"[\s│|]*(?:(?:global )?[A-Za-z_][\w.]{0,80} ?(?:=|:) |[A-Za-z_]\w{0,80} undefined|[╭╰]|[\"'{}\]])")
_SHOWN = re.compile(r"[│|\s]*(?:└|->) (b?[\"'].*)$")
_RECORD = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3} |\[|\{|```|~~~|#{1,6} |(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|--+|==+|\*\*|<|\$ |Exception "
)
_BACKGROUND = "(Background on this error at"


def chains(lines: Sequence[Line]) -> list[Chain]:
    """Every chain of exceptions in one undressed passage, in order."""
    return _Scan(lines).run()


class _Scan:
    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._found: list[Chain] = []

    def run(self) -> list[Chain]:
        at = 0
        end_of_last = 0
        while at < len(self._lines):
            if not self._starts(at):
                at += 1
                continue
            chain, after = self._chain(at)
            if chain is not None:
                self._surround(chain, end_of_last, at, after)
                self._found.append(chain)
                end_of_last = after
            at = max(after, at + 1)
        return self._found

    def _starts(self, at: int) -> bool:
        text = self._lines[at].text
        return (
            _HEAD.search(text) is not None
            or place(text) is not None
            or text.startswith(_CGITB_HEAD)
            or is_database_line(text)
        )

    def _surround(self, chain: Chain, floor: int, start: int, after: int) -> None:
        """Give a chain the lines around it; those of the chain before are not its own."""
        lines = self._lines
        near = [lines[index] for index in range(max(floor, start - LOOK_BACK), start)]
        chain.before = [line.text for line in near]
        chain.after = [line.text for line in lines[after : after + LOOK_AHEAD]]
        for line in (lines[start], *reversed(near[-3:])):
            chain.at = chain.at or line.at
            chain.process = line.process if chain.process is None else chain.process
            chain.thread = chain.thread or line.thread
            if chain.at:
                break

    def _chain(self, start: int) -> tuple[Chain | None, int]:
        if is_group(self._lines[start].text):
            return self._group(start)
        chain = Chain(line=self._lines[start].number)
        at = start
        link = Link.FIRST
        while True:
            raised, after = self._raised(at)
            raised.link = link
            if raised.name or raised.message or raised.frames:
                chain.raised.append(raised)
            following = self._link(after)
            if following is None:
                break
            link, message, at = following
            if message and not raised.message:
                raised.message = message
            if is_group(self._text(at)):
                group, after = self._group(at)
                if group is not None:
                    chain.raised += group.raised
                break
        return (chain, after) if chain.raised else (None, after)

    def _text(self, at: int) -> str:
        return self._lines[at].text if at < len(self._lines) else ""

    def _link(self, at: int) -> tuple[Link, str, int] | None:
        """The sentence between two exceptions, the message that it repeats, and where the next one begins."""
        for index in range(at, min(at + 4, len(self._lines))):
            text = unboxed(self._lines[index].text).strip()
            if not text:
                continue
            if text.startswith(("During handling of the above", "The above exception")):
                text = " ".join(unboxed(line.text).strip() for line in self._lines[index : index + 12])
                found = _LINK.match(text)
                if found is None:
                    return None
                inside = _LINK_TEXT.match(found[2])
                link = Link.CONTEXT if found[1].startswith("During") else Link.CAUSE
                return link, inside[1] if inside else "", self._after_sentence(index)
            return None
        return None

    def _after_sentence(self, at: int) -> int:
        """Where the next exception begins: past the sentence, however many lines it takes."""
        for index in range(at, min(at + 12, len(self._lines))):
            text = unboxed(self._lines[index].text).rstrip()
            if text.endswith((":", "exception occurred", "following exception")):
                at = index
                break
        at += 1
        while at < len(self._lines) and not unboxed(self._lines[at].text).strip():
            at += 1
        return at

    def _group(self, start: int) -> tuple[Chain | None, int]:
        """An exception group: its own frames, then its members, of which each is a chain."""
        after = start
        inner: list[Line] = []
        for line in self._lines[start:]:
            bare = without_margin(line)
            if bare is None:
                break
            inner.append(bare)
            after += 1
        head, parts = members(inner)
        own = _Scan(head)
        group, _ = own._raised(0)  # noqa: SLF001 - the same class
        group.link = Link.GROUP
        chain = Chain(line=self._lines[start].number)
        for part in parts:
            for member in chains(part):
                chain.raised += member.raised
        if group.name or group.frames:
            chain.raised.append(group)
        return (chain if chain.raised else None), max(after, start + 1)

    def _raised(self, start: int) -> tuple[Raised, int]:
        """One exception: its head, its frames, its name and message."""
        raised = Raised(line=self._lines[start].number if start < len(self._lines) else 0)
        at = start
        if at < len(self._lines) and is_database_line(self._text(at)) and not _HEAD.search(self._text(at)):
            if place(self._text(at)) is None:
                return self._named_first(raised, at)
        if at < len(self._lines) and place(self._text(at)) is None:
            at += 1  # its head
        return self._frames(raised, at)

    def _named_first(self, raised: Raised, at: int) -> tuple[Raised, int]:
        """An exception that is named before its frames, if it has any: the form of mails and single log lines."""
        indent = self._lines[at].indent
        at = self._message(raised, at, indent)
        look = at
        while look < len(self._lines) and look < at + 3 and _OMITTED.match(self._text(look) or "..."):
            look += 1
        if place(self._text(look)) is None or self._lines[look].indent <= indent or raised.notes:
            return raised, at
        below = Raised()
        below, after = self._frames(below, look)
        if below.name:  # those frames are another exception's
            return raised, at
        raised.frames = below.frames
        return raised, after

    def _frames(self, raised: Raised, at: int) -> tuple[Raised, int]:
        seen: Seen | None = None
        indent = 0
        stray = 0
        while at < len(self._lines):
            text = self._text(at)
            bare = unboxed(text)
            if found := place(text):
                seen = Seen(self._joined(found, at))
                raised.add(seen)
                indent, stray = self._lines[at].indent, 0
                at += 1
                continue
            if not bare.strip():
                if seen is None and not raised.frames and at > 0 and self._blank_run(at) > 3:  # noqa: PLR2004
                    break
                at += 1
                continue
            if _HEAD.search(text) or _LINK.match(bare.strip()):
                break
            deeper = self._lines[at].indent > indent or "│" in text
            if seen is not None and deeper:
                _detail(seen, text)
                at += 1
                continue
            if (name := named(bare.strip(), strict=not raised.frames)) is not None:
                del name
                return raised, self._message(raised, at, self._lines[at].indent)
            stray += 1
            if seen is None or stray > MOST_STRAY or not (_OMITTED.match(text) or _STRAY.match(text) or deeper):
                break
            _detail(seen, text)
            at += 1
        return raised, at

    def _joined(self, found, at: int):  # type: ignore[no-untyped-def]
        return found

    def _blank_run(self, at: int) -> int:
        run = 0
        while at + run < len(self._lines) and not unboxed(self._text(at + run)).strip():
            run += 1
        return run

    def _message(self, raised: Raised, at: int, indent: int) -> int:
        """Name, message and notes, from the line that names the exception; where the next thing begins."""
        first = self._lines[at]
        raised.line = raised.line or first.number
        raised.name, text = named(unboxed(first.text).strip(), strict=False) or ("", first.text.strip())
        message = [text]
        at += 1
        at = self._sql(message, at)
        if len(message) == 1:
            at = self._notes(raised, at, first, indent)
        raised.message = "\n".join(message)
        if any(line.startswith(_BACKGROUND) for line in message[1:]):
            at = self._notes(raised, at, first, indent)
        return at
