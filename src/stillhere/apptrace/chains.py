"""Exceptions and what links them, as a text lists them: the shape that every form of report is read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from stillhere.apptrace.frames import Place

__all__ = ["Chain", "Link", "Raised", "Seen"]

MOST_FRAMES = 400
"""Frames of one exception that are kept while reading; the outermost and the innermost halves of a longer stack."""


class Link(Enum):
    """How an exception came out of the one listed before it."""

    FIRST = "first"
    CAUSE = "cause"
    """``raise … from``: it wraps the one before."""
    CONTEXT = "context"
    """Raised while the one before was being handled."""
    GROUP = "group"
    """The group that the one before was a member of."""


@dataclass(slots=True)
class Seen:
    """One frame with its source line and the strings that the report shows of its variables."""

    at: Place
    code: str = ""
    values: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Raised:
    """One exception of a chain.

    Attributes:
        name: class name as written; empty where the text breaks off before it.
        message: its text, lines joined by line feeds.
        line: where it starts in the input.
        headed: whether the text shows where its stack begins.
        heading: the whole line that names it, where that comes before its frames.
        frames: the outermost first.
        notes: lines after the message that aren't part of it.
    """

    name: str = ""
    message: str = ""
    line: int = 0
    headed: bool = True
    heading: str = ""
    link: Link = Link.FIRST
    frames: list[Seen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, seen: Seen) -> None:
        """Take one more frame in; the middle of a long stack is dropped."""
        if len(self.frames) >= MOST_FRAMES:
            del self.frames[MOST_FRAMES // 2]
        self.frames.append(seen)


@dataclass(slots=True)
class Chain:
    """One error with all that led to it, the innermost first, and the lines around it.

    Attributes:
        line: where it starts in the input, from 1.
        raised: the innermost exception first.
        before: lines above it, nearest last.
        own_log: those of them that the same process and thread wrote, as far as they say.
        after: lines below it, nearest first.
        at: a time as written.
        request: what the report's own fields say was asked for.
        framework: what the report's own fields name.
        retries: what the report's own fields say.
    """

    line: int
    raised: list[Raised] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    own_log: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    at: str = ""
    process: int | None = None
    thread: str = ""
    request: str = ""
    framework: str = ""
    retries: int = 0
    language: str = ""
    end: int = 0
