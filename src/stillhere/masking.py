"""Passwords out of texts: statements, option values and URLs, before anything is shown, stored or logged.

What is masked is found by its place in the text, never by guessing what looks like a password; in doubt it is masked.
The text may be cut off anywhere, as the statements in crash dumps and process lists are: a literal without its closing
quote is masked to the end. The statement may be quoted inside other text, as in a server's message about its syntax.
"""

from __future__ import annotations

import re

__all__ = ["MASK", "mask_sql", "mask_urls"]

MASK = "***"

_QUOTED = r"""'(?:[^'\\]|''|\\.)*+(?:'|\\?\Z)|"(?:[^"\\]|""|\\.)*+(?:"|\\?\Z)"""
_GAP = r"(?:\s|/\*[^*]{0,80}\*/){0,9}"

# The plain forms, wherever they stand: inside another literal, after an apostrophe, behind a comment's start.
_PLAIN = tuple(
    re.compile(rf"({before}{_GAP})(?:{_QUOTED})", re.IGNORECASE | re.DOTALL)
    for before in (
        rf"\bIDENTIFIED{_GAP}BY\b(?:{_GAP}PASSWORD\b)?",
        rf"\bIDENTIFIED{_GAP}(?:WITH|VIA){_GAP}[`\"']?\w{{1,64}}[`\"']?{_GAP}(?:BY|AS|USING)\b(?:{_GAP}PASSWORD{_GAP}\()?",
        rf"\bSET{_GAP}PASSWORD\b[^=;]{{0,200}}?=",
        rf"\bPASSWORD{_GAP}\(",
        rf"PASSWORD[`\"]?{_GAP}:?=",
        rf"\binit_connect\b[`\"]?{_GAP}:?=",
    )
)

# An option file's line, whose value has no quotes and ends with the line.
_OPTION_LINE = re.compile(
    r"^([ \t]*(?:--)?[\w-]*(?:password|passwd|sst[_-]auth|init[_-]connect)[ \t]*=[ \t]*)(?![ \t'\"*]).+$",
    re.IGNORECASE | re.MULTILINE,
)

_TOKEN = re.compile(
    rf"""
    (?P<skip>\s+ | /\*M?!\d* | \*/ | /\*.*?(?:\*/|\Z) | \#[^\n]* | --[ \t][^\n]*)
  | (?P<apostrophe>(?<=[a-zA-Z0-9])'(?=[a-zA-Z]))
  | (?P<literal>{_QUOTED} | 0x[0-9a-fA-F]+)
  | (?P<name>`[^`]*`? | @*[\w$][\w$-]*)
  | (?P<sign>:=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_INTRODUCER = re.compile(r"(?:N|X|B|_[a-z0-9]+)\Z", re.IGNORECASE)
_SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|private_key|sst[_-]auth|init[_-]connect", re.IGNORECASE)
_NO_SECRET = frozenset({"PASSWORD_LOCK_TIME", "PASSWORD_HISTORY", "PASSWORD_REUSE_INTERVAL", "SECRETS"})
_ENCRYPTING = frozenset({"AES_ENCRYPT", "AES_DECRYPT", "DES_ENCRYPT", "DES_DECRYPT", "ENCODE", "DECODE", "ENCRYPT"})
_ENDS_IDENTIFIED = frozenset({"REQUIRE", "ATTRIBUTE", "COMMENT", "ACCOUNT", "EXPIRE", "DEFAULT"})
_WRITING = frozenset({"INSERT", "REPLACE"})

_IN_URL = re.compile(r"(\b[\w+.-]+://[^\s:/@'\"]*:)[^\s'\"]*(@)")
_IN_QUERY = re.compile(r"(?i)([?&](?:password|passwd|pwd|ssl_key_password)=)[^&\s'\"]+")


def mask_sql(text: str) -> str:
    """The statement, or the text with statements in it, with every password in it replaced by ``***``.

    Covers accounts (``IDENTIFIED BY``, ``IDENTIFIED VIA … USING``, ``SET PASSWORD``, ``PASSWORD(…)``), replication
    (``MASTER_PASSWORD``, ``SOURCE_PASSWORD``), whatever is assigned to or compared with a name that has *password* or
    *secret* in it, all values of an INSERT with such a column, what encrypting functions are given, the value of
    ``init_connect``, and options of the form ``password=…``.
    """
    for pattern in _PLAIN:
        text = pattern.sub(rf"\1'{MASK}'", text)
    text = _OPTION_LINE.sub(rf"\1{MASK}", text)
    watch = _Watch()
    return "".join([watch.shown(token) for token in _TOKEN.finditer(text)])


def mask_urls(text: str) -> str:
    """The text with the passwords of all URLs in it replaced by ``***``."""
    text = _IN_URL.sub(rf"\1{MASK}\2", text)
    return _IN_QUERY.sub(rf"\1{MASK}", text)


class _Watch:
    """Walks over a statement's tokens and knows whether the next literal is a secret."""

    def __init__(self) -> None:
        self._depth = 0
        self._call = -1  # the depth at which an encrypting function was called; -1 outside
        self._start()

    def _start(self) -> None:
        self._first = ""
        self._before = ""
        self._rest = False  # every literal up to the statement's end
        self._clause = False  # every literal up to the next comma: IDENTIFIED …
        self._value = False  # the next literal or word: password = …

    def shown(self, token: re.Match[str]) -> str:
        """The token as it may be shown."""
        text = token[0]
        match token.lastgroup:
            case "literal":
                secret = self._rest or self._clause or self._value or self._call >= 0
                self._value = False
                return f"'{MASK}'" if secret and text not in ("''", '""') else text
            case "name":
                return self._name(text, token.string[token.end() : token.end() + 1])
            case "sign":
                self._sign(text)
        return text

    def _name(self, text: str, following: str) -> str:
        if _INTRODUCER.match(text) and following in ("'", '"'):
            return text
        word = text.strip("`").upper()
        self._first = self._first or word
        assigned = self._value and self._before in ("=", ":=")
        self._value = False
        if assigned and following != "(" and not text.startswith("@"):
            return MASK
        if word == "IDENTIFIED":
            self._clause = True
        elif word in _ENDS_IDENTIFIED:
            self._clause = False
        elif word in _ENCRYPTING:
            self._call = self._call if self._call >= 0 else self._depth
        elif _SECRET_NAME.search(word) and word not in _NO_SECRET:
            self._value = True
            self._rest = self._rest or self._first in _WRITING
        self._before = word
        return text

    def _sign(self, sign: str) -> None:
        if sign == "(":
            self._depth += 1
        elif sign == ")":
            self._depth -= 1
            if self._depth <= self._call:
                self._call = -1
        elif sign == ";":
            self._start()
        elif sign == ",":
            self._clause = self._value = False
        self._before = sign
