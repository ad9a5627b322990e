"""Cut a statement into tokens, as the servers' own lexers do, and give up where they could differ.

The scan is linear and knows no grammar. Literals next to each other, with the commas between them and the
``), (`` between rows, are one token, so that an INSERT of many megabytes is a few thousand tokens. What can't
be cut with certainty (an open comment, an executable one, a number that runs into a word, a control
character) ends the scan with a refusal in words; nothing is guessed.

Two SQL modes change where a literal ends, and so does the way in which the driver fills in its parameters:
see `Mode`. Texts that arrive as bytes are read as Latin-1, which keeps every byte: right for every character
set whose multi-byte characters hold no ASCII bytes, such as UTF-8 (a session in gbk, sjis or big5 must hand
over text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Mode", "Scan", "Token", "TokenKind", "scan"]


class TokenKind(Enum):
    """The kinds of tokens. Comments and blanks are dropped."""

    WORD = "word"
    """A keyword or a bare identifier, in upper case."""
    NAME = "name"
    """A quoted identifier, without its quotes."""
    LITERAL = "literal"
    """One or, in a coarse scan, many literals and placeholders with the commas between them."""
    ROWS = "rows"
    """As LITERAL, with at least one ``), (`` among them. As many parentheses are closed as opened."""
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    USER_VARIABLE = "@"
    SYSTEM_VARIABLE = "@@"
    """In lower case, with its scope: ``session.sql_mode``."""
    OPERATOR = "operator"


class Token(NamedTuple):
    """A kind, a text to judge by, and an identifier's text as written."""

    kind: TokenKind
    text: str
    raw: str = ""


class Scan(NamedTuple):
    """What was cut, and why no further; an empty refusal means to the end."""

    tokens: list[Token]
    refusal: str


@dataclass(frozen=True, slots=True)
class Mode:
    """What decides where a literal ends.

    Attributes:
        no_backslash_escapes: the session's SQL mode has NO_BACKSLASH_ESCAPES.
        ansi_quotes: the session's SQL mode has ANSI_QUOTES: double quotes are for identifiers.
        template: the driver will fill in parameters with ``%``. A placeholder inside quotes or a comment then
            breaks out of them, and a lone ``%`` may cut a literal short.
        fine: one token a literal and a comma, for short texts in which each matters.
    """

    no_backslash_escapes: bool = False
    ansi_quotes: bool = False
    template: bool = False
    fine: bool = False


# Repeats of groups are bounded, because the `re` module keeps a record of each turn; runs of one character
# class cost nothing. Longer literals are followed by hand in `_Cut`.
_TURNS = 400
_ESCAPES = 20
# More tokens than that are not read: a bound on time (some 0.2 s), not on bytes, since literals side by side
# are one token.
_MOST_TOKENS = 100_000

# What an unquoted name is made of: letters, digits, "_", "$" and all beyond ASCII. The classes say what they leave
# out: a range up to U+10FFFF takes 10 ms to compile, and this is compiled when the package is imported.
_IDENT = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
_INITIAL = r"[^\x00-#%-@\[-^`{-\x7f]"
_DOTTED = r"[^\x00-#%-\-/:-@\[-^`{-\x7f]"
_NUMBER = (
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
    rf"(?!{_DOTTED})"
)
_PLACEHOLDER = rf"%s(?!{_IDENT})|%\([\w .:-]*\)s(?!{_IDENT})|\?"
_PREFIX = r"(?:[nNxXbB]|_[A-Za-z0-9]+\s*)?"
_INNER_PLACEHOLDER = re.compile(r"(?<!%)(?:%%)*%[^%]")


class _Patterns(NamedTuple):
    token: re.Pattern[str]
    string: re.Pattern[str]
    chunk: dict[str, re.Pattern[str]]


def _string(quote: str, *, no_backslash_escapes: bool) -> str:
    if no_backslash_escapes:
        return f"{quote}[^{quote}]*{quote}"
    return rf"{quote}[^{quote}\\]*(?:\\.[^{quote}\\]*){{0,{_ESCAPES}}}{quote}"


@cache
def _patterns(mode: Mode) -> _Patterns:
    """Doubled quotes need no rule: ``'it''s'`` is cut as two literals side by side, which means the same."""
    quotes = "'" if mode.ansi_quotes else "'\""
    strings = "|".join(_string(quote, no_backslash_escapes=mode.no_backslash_escapes) for quote in quotes)
    literal = rf"(?:{_NUMBER}|{_PREFIX}(?:{strings})|{_PLACEHOLDER})"
    if mode.fine:
        run = literal
    else:
        piece = rf"(?:,|{literal}|(?i:NULL|DEFAULT)(?!{_IDENT})|(?P<rows>\)\s*,\s*\())"
        run = rf"(?:{literal}|,|(?P<first>\)\s*,\s*\())(?:\s*{piece}){{0,{_TURNS}}}"
    names = rf"`[^`\0]*`(?:`[^`\0]*`){{0,{_TURNS}}}"
    if mode.ansi_quotes:
        names += rf'|"[^"\0]*"(?:"[^"\0]*"){{0,{_TURNS}}}'
    token = rf"""
        (?P<blank>\s+)
      | (?P<line>(?:\#|--(?=[\x00-\x20\x7f]|\Z))[^\n\0]*)
      | (?P<comment>/\*)
      | (?P<run>{run})
      | (?P<word>{_INITIAL}{_IDENT}*)
      | (?P<name>{names})
      | (?P<open>\()
      | (?P<close>\))
      | (?P<comma>,)
      | (?P<semicolon>;)
      | (?P<system>@@[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?)
      | (?P<user>@(?!@){_DOTTED}*)
      | (?P<percent>%%?)
      | (?P<operator>:=|[-+*/=<>!&|^~:.{{}}\[\]\\])
    """
    chunks = {
        quote: re.compile(
            rf"[^{quote}]*" if mode.no_backslash_escapes else rf"[^{quote}\\]*(?:\\.[^{quote}\\]*){{0,{_TURNS}}}",
            re.DOTALL,
        )
        for quote in quotes
    }
    flags = re.ASCII | re.DOTALL
    return _Patterns(re.compile(token, flags | re.VERBOSE), re.compile(strings, flags), chunks)


def scan(text: str, mode: Mode) -> Scan:
    """Cut a text.

    A semicolon with nothing but blanks behind it ends the statement; anything else behind it is a refusal.
    """
    cut = _Cut(text, mode)
    try:
        cut.run()
    except _RefusedError as refusal:
        return Scan(cut.tokens, str(refusal))
    return Scan(cut.tokens, "")


class _RefusedError(Exception):
    """What comes can't be cut with certainty."""


class _Cut:
    """One scan under way."""

    def __init__(self, text: str, mode: Mode) -> None:
        self.tokens: list[Token] = []
        self._text = text
        self._mode = mode
        self._position = 0
        self._patterns = _patterns(mode)

    def run(self) -> None:
        """Go to the end of the text."""
        match = self._patterns.token.match
        append = self.tokens.append
        text, end = self._text, len(self._text)
        while self._position < end:
            if len(self.tokens) >= _MOST_TOKENS:
                raise _RefusedError("more parts than are worth reading")
            found = match(text, self._position)
            if found is None:
                append(self._long_literal())
                continue
            self._position = found.end()
            group = found.lastgroup
            if group == "word":
                append(Token(TokenKind.WORD, found[0].upper(), found[0]))
            elif group != "blank":
                token = _RULES[str(group)](self, found)
                if token is not None:
                    append(token)

    def literals(self, found: re.Match[str]) -> Token:
        """Literals side by side."""
        run = found[0]
        if self._mode.template and "%" in run:
            for string in self._patterns.string.finditer(run):
                self._no_placeholder(string[0], "quotes")
        rows = not self._mode.fine and (found["first"] or found["rows"])
        return Token(TokenKind.ROWS if rows else TokenKind.LITERAL, run)

    def name(self, found: re.Match[str]) -> Token:
        """A quoted identifier."""
        quoted = found[0]
        self._no_placeholder(quoted, "quotes")
        name = quoted[1:-1].replace(quoted[0] * 2, quoted[0])
        return Token(TokenKind.NAME, name, name)

    def line(self, found: re.Match[str]) -> None:
        """A comment up to the end of its line."""
        self._no_placeholder(found[0], "a comment")

    def comment(self, found: re.Match[str]) -> None:
        """A comment up to its closing mark, unless servers disagree on where that is."""
        start = found.end()
        close = self._text.find("*/", start)
        if close < 0:
            raise _RefusedError("a comment that is never closed")
        body = self._text[start:close]
        if body.startswith(("!", "M!", "m!")):
            raise _RefusedError("an executable comment")
        if body.startswith("/") or "/*" in body or "\0" in body:
            raise _RefusedError("a comment inside a comment")
        self._no_placeholder(body, "a comment")
        self._position = close + 2

    def semicolon(self, found: re.Match[str]) -> None:
        """The end, or the beginning of another statement."""
        if not _BLANK_TO_END.match(self._text, found.end()):
            raise _RefusedError("more than one statement in one text")
        self._position = len(self._text)

    def percent(self, found: re.Match[str]) -> Token:
        """The modulo operator; in a template it is doubled."""
        if self._mode.template and found[0] == "%":
            raise _RefusedError("a placeholder that isn't %s")
        return Token(TokenKind.OPERATOR, found[0])

    def system(self, found: re.Match[str]) -> Token:
        """A system variable, perhaps with its scope."""
        return Token(TokenKind.SYSTEM_VARIABLE, found[0][2:].lower())

    def _no_placeholder(self, text: str, where: str) -> None:
        if self._mode.template and _INNER_PLACEHOLDER.search(text):
            raise _RefusedError(f"a placeholder inside {where}")

    def _long_literal(self) -> Token:
        """What no pattern begins with: the quote of a long literal, which is followed to its end."""
        text, start = self._text, self._position
        quote = text[start]
        chunk = self._patterns.chunk.get(quote)
        if chunk is None:
            odd = "a number that runs into a word" if quote.isdigit() else f"{quote!r} outside a literal"
            raise _RefusedError(odd)
        at = start + 1
        while True:
            found = chunk.match(text, at)
            at = found.end() if found is not None else len(text)
            follows = text[at : at + 2]
            if follows.startswith(quote):
                break
            if len(follows) < len("\\'"):  # at the end, or before a backslash that ends the text
                raise _RefusedError("a literal that is never closed")
        self._no_placeholder(text[start:at], "quotes")
        self._position = at + 1
        return Token(TokenKind.LITERAL, text[start : at + 1])


_BLANK_TO_END = re.compile(r"\s*\Z", re.ASCII)


def _simple(kind: TokenKind) -> Callable[[_Cut, re.Match[str]], Token]:
    return lambda _, found: Token(kind, found[0])


_RULES: dict[str, Callable[[_Cut, re.Match[str]], Token | None]] = {
    "run": _Cut.literals,
    "name": _Cut.name,
    "line": _Cut.line,
    "comment": _Cut.comment,
    "semicolon": _Cut.semicolon,
    "percent": _Cut.percent,
    "system": _Cut.system,
    "open": _simple(TokenKind.OPEN),
    "close": _simple(TokenKind.CLOSE),
    "comma": _simple(TokenKind.COMMA),
    "user": _simple(TokenKind.USER_VARIABLE),
    "operator": _simple(TokenKind.OPERATOR),
}
