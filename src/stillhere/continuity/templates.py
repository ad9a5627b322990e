"""The class of a statement by its template: the text before the driver puts values in."""

from __future__ import annotations

import re
from typing import Any

from stillhere.continuity.statement import Kind, Statement, classify_cached

__all__ = ["template"]

_LIMIT = 2048
_KINDS = {Kind.READ, Kind.WRITE}
_known: dict[str | bytes, Statement | None] = {}
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`""", re.DOTALL)
_COMMENT = re.compile(r"/\*|--|#")


def template(query: Any) -> Statement | None:
    """The class of every statement that this template can become; None where its values decide.

    A value that the driver escapes is one literal, and can't change what kind of statement it stands in.
    That doesn't hold for SET (its value is what is restored later), nor for a placeholder between
    quotes; those are classified by their final bytes.
    """
    try:
        return _known[query]
    except KeyError:
        pass
    except TypeError:  # a bytearray, or what is no statement at all
        return None
    if not isinstance(query, str | bytes) or len(query) > 8192:  # noqa: PLR2004 - long ones are rarely templates
        return None
    text = query if isinstance(query, str) else query.decode("latin-1")
    statement: Statement | None = classify_cached(query)
    if statement is not None and (statement.kind not in _KINDS or _placeholder_in_quotes(text)):
        statement = None
    if len(_known) >= _LIMIT:
        _known.clear()
    _known[query] = statement
    return statement


def _placeholder_in_quotes(text: str) -> bool:
    """Whether a placeholder stands inside quotes: the escaped value brings quotes of its own and ends the literal.

    A comment may hold a lone quote and put the pairing out, so a text with both counts as if it did.
    """
    literals = _LITERAL.findall(text)
    if not literals:
        return "'" in text or '"' in text
    return bool(_COMMENT.search(text)) or any("%s" in literal or "%(" in literal for literal in literals)
