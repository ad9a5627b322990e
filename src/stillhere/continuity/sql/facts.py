"""What one pass over a statement's tokens tells, whatever the statement is."""

from __future__ import annotations

from typing import NamedTuple

from stillhere.continuity.sql.lexer import Token, TokenKind

__all__ = ["Facts", "gather", "tables"]


class Facts(NamedTuple):
    """Gathered from anywhere in the statement, subqueries included: each a superset of what is meant.

    Attributes:
        words: all bare words.
        pairs: all bare words that stand side by side.
        calls: all names with a parenthesis behind them, bare or quoted (the servers find built-in functions
            by their quoted names too).
        calls_with_arguments: those with something between the parentheses.
        system_variables: without scope.
        assigns: there is a ``:=``.
        refusal: a name that can't be judged.
    """

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    calls: frozenset[str]
    calls_with_arguments: frozenset[str]
    system_variables: frozenset[str]
    assigns: bool
    refusal: str


def gather(tokens: list[Token]) -> Facts:  # noqa: C901 - one pass, one branch a kind
    """One pass."""
    words: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    calls: set[str] = set()
    filled: set[str] = set()
    variables: set[str] = set()
    assigns = False
    refusal = ""
    before = Token(TokenKind.OPERATOR, "")
    called = ""
    for token in tokens:
        kind, text, _ = token
        if called and kind is not TokenKind.CLOSE:
            filled.add(called)
        called = ""
        if kind is TokenKind.WORD:
            words.add(text)
            if before.kind is TokenKind.WORD:
                pairs.add((before.text, text))
        elif kind is TokenKind.OPEN:
            if before.kind in (TokenKind.WORD, TokenKind.NAME):
                called = before.text.upper()
                calls.add(called)
                if not called.isascii():
                    refusal = "a function name beyond ASCII"  # collations equate letters that upper() does not
        elif kind is TokenKind.SYSTEM_VARIABLE:
            variables.add(text.rpartition(".")[2])
        elif kind is TokenKind.OPERATOR:
            if text == ":=":
                assigns = True
            elif text == "." and before.kind is TokenKind.SYSTEM_VARIABLE:
                refusal = "a system variable's name in several parts"
        before = token
    return Facts(
        frozenset(words),
        frozenset(pairs),
        frozenset(calls),
        frozenset(filled),
        frozenset(variables),
        assigns,
        refusal,
    )


_BEFORE_TABLES = frozenset(
    {"FROM", "JOIN", "STRAIGHT_JOIN", "INTO", "UPDATE", "USING", "TABLE", "DELETE", "INSERT", "REPLACE"}
)
_AFTER_TABLES = frozenset(
    {
        "WHERE",
        "SET",
        "ON",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "VALUES",
        "VALUE",
        "SELECT",
        "UNION",
        "WINDOW",
    }
)
_IDENTIFIERS = (TokenKind.WORD, TokenKind.NAME)
_MODIFIERS = frozenset(
    {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE", "LATERAL", "IF", "EXISTS", "NOT", "AS"}
)


def tables(tokens: list[Token]) -> tuple[str, ...]:  # noqa: C901 - one pass, one branch a kind
    """The names that stand where tables do, schema-qualified as written, unquoted: a superset.

    Names of common table expressions and the columns of ``EXTRACT(YEAR FROM x)`` are among them.
    """
    found: list[str] = []
    stack: list[bool] = []
    inside = expecting = False
    name = dotted = False  # the token before was the last part found; it was that part's dot
    before = ""
    for kind, text, raw in tokens:
        was_name, was_dotted, name, dotted = name, dotted, False, False
        if kind in _IDENTIFIERS and was_dotted:
            found[-1] += "." + raw
            name = True
        elif kind is TokenKind.WORD and text in _BEFORE_TABLES:
            inside = expecting = not (text == "UPDATE" and before in ("FOR", "KEY"))
        elif kind is TokenKind.WORD and text in _AFTER_TABLES:
            inside = expecting = False
        elif kind in _IDENTIFIERS:
            if expecting and not (kind is TokenKind.WORD and text in _MODIFIERS):
                found.append(raw)
                name, expecting = True, False
        elif kind is TokenKind.OPERATOR:
            dotted = was_name and text == "."
        elif kind is TokenKind.OPEN:
            stack.append(inside)
            inside = inside and expecting  # FROM (a, b), but not t (column, column)
        elif kind is TokenKind.CLOSE:
            inside = stack.pop() if stack else False
            expecting = False
        elif kind is TokenKind.ROWS:
            inside = expecting = stack[-1] if stack else False
        elif kind is TokenKind.COMMA or (kind is TokenKind.LITERAL and "," in text):
            expecting = inside
        before = text
    return tuple(dict.fromkeys(found))
