"""The parts of a plain INSERT."""

from __future__ import annotations

from itertools import pairwise

from stillhere.continuity.sql.lexer import Token, TokenKind
from stillhere.continuity.sql.model import Insert

__all__ = ["insert_of"]

_IDENTIFIERS = (TokenKind.WORD, TokenKind.NAME)
_MODIFIERS = frozenset({"LOW_PRIORITY", "HIGH_PRIORITY", "IGNORE", "INTO"})
_QUERIES = frozenset({"SELECT", "WITH", "TABLE"})


def insert_of(tokens: list[Token]) -> Insert | None:
    """Take an INSERT apart; ``None`` for a form that isn't known.

    Args:
        tokens: a coarse scan whose first word is INSERT.
    """
    at = 1
    ignore = False
    while at < len(tokens) and tokens[at].kind is TokenKind.WORD and tokens[at].text in _MODIFIERS:
        ignore = ignore or tokens[at].text == "IGNORE"
        at += 1
    named = _qualified(tokens, at)
    if named is None:
        return None
    table, at = named
    if _is_word(tokens, at, "PARTITION"):
        at = _behind_parentheses(tokens, at + 1)
    columns = None
    if _is(tokens, at, TokenKind.OPEN) and not _is_query(tokens, at + 1):
        listed = _columns(tokens, at + 1)
        if listed is None:
            return None
        columns, at = listed
    insert = _rows(tokens, at, table, columns)
    if insert is None:
        return None
    outer = _outer_words(tokens, at)
    return Insert(
        insert.table,
        insert.columns,
        insert.multi_row,
        insert.select,
        on_duplicate=("ON", "DUPLICATE") in pairwise(outer),
        ignore=ignore,
        returning="RETURNING" in outer,
    )


def _rows(tokens: list[Token], at: int, table: str, columns: tuple[str, ...] | None) -> Insert | None:
    """What stands where the rows do."""
    if _is_word(tokens, at, "VALUES") or _is_word(tokens, at, "VALUE"):
        return Insert(table, columns, multi_row=_several(tokens, at + 1))
    if _is_word(tokens, at, "SET") and columns is None:
        return Insert(table, _assigned(tokens, at + 1))
    if _is_query(tokens, at):
        return Insert(table, columns, multi_row=True, select=True)
    return None


def _is(tokens: list[Token], at: int, kind: TokenKind) -> bool:
    return at < len(tokens) and tokens[at].kind is kind


def _is_word(tokens: list[Token], at: int, word: str) -> bool:
    return _is(tokens, at, TokenKind.WORD) and tokens[at].text == word


def _is_query(tokens: list[Token], at: int) -> bool:
    while _is(tokens, at, TokenKind.OPEN):
        at += 1
    return _is(tokens, at, TokenKind.WORD) and tokens[at].text in _QUERIES


def _qualified(tokens: list[Token], at: int) -> tuple[str, int] | None:
    """A name, perhaps with its schema, and where it ends."""
    if at >= len(tokens) or tokens[at].kind not in _IDENTIFIERS:
        return None
    name = tokens[at].raw
    at += 1
    if at + 1 < len(tokens) and tokens[at].text == "." and tokens[at + 1].kind in _IDENTIFIERS:
        name = f"{name}.{tokens[at + 1].raw}"
        at += 2
    return name, at


def _columns(tokens: list[Token], at: int) -> tuple[tuple[str, ...], int] | None:
    """A list of columns up to its closing parenthesis; only names, dots and commas may be in it."""
    names: list[str] = []
    dotted = False
    while at < len(tokens) and tokens[at].kind is not TokenKind.CLOSE:
        kind, text, raw = tokens[at]
        if kind in _IDENTIFIERS:
            if dotted:
                names[-1] = raw
            else:
                names.append(raw)
            dotted = False
        elif text == "." and names:
            dotted = True
        elif text.strip() != ",":
            return None
        at += 1
    return (tuple(names), at + 1) if at < len(tokens) else None


def _assigned(tokens: list[Token], at: int) -> tuple[str, ...]:
    """The names before an equals sign outside parentheses: a superset of the columns of INSERT … SET."""
    names: list[str] = []
    depth = 0
    for token, behind in zip(tokens[at:], tokens[at + 1 :], strict=False):
        depth += (token.kind is TokenKind.OPEN) - (token.kind is TokenKind.CLOSE)
        if depth == 0 and token.kind in _IDENTIFIERS and behind.text in ("=", ":="):
            names.append(token.raw)
    return tuple(names)


def _several(tokens: list[Token], at: int) -> bool:
    """Whether more than one row follows VALUES."""
    depth = opened = 0
    for kind, text, _ in tokens[at:]:
        if kind is TokenKind.ROWS:
            return True
        if kind is TokenKind.OPEN:
            opened += depth == 0
            depth += 1
        elif kind is TokenKind.CLOSE:
            depth -= 1
        elif depth == 0 and kind is TokenKind.WORD and text in ("ON", "RETURNING", "AS"):
            break
    return opened > 1


def _behind_parentheses(tokens: list[Token], at: int) -> int:
    while at < len(tokens) and tokens[at].kind is not TokenKind.CLOSE:
        at += 1
    return at + 1


def _outer_words(tokens: list[Token], at: int) -> list[str]:
    """The bare words outside parentheses."""
    words: list[str] = []
    depth = 0
    for kind, text, _ in tokens[at:]:
        depth += (kind is TokenKind.OPEN) - (kind is TokenKind.CLOSE)
        if depth == 0 and kind is TokenKind.WORD:
            words.append(text)
    return words
