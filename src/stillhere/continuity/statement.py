"""What a statement is, from its text alone: a whitelist.

What isn't known to be harmless is `Kind.OTHER`: a write that may commit and can't be replayed. Nothing here
asks a server, so a "read" may still write through a view or a stored function, and a table may be
non-transactional: `tables` and `calls` are for whoever can look that up.
"""

from __future__ import annotations

import re

from stillhere.continuity.sql.lexer import Mode, Token, scan
from stillhere.continuity.sql.model import Insert, Kind, Statement
from stillhere.continuity.sql.verbs import judge, other

__all__ = ["TEXTS", "Insert", "Kind", "Statement", "StatementCache", "classify", "classify_cached"]

_FIRST_WORD = re.compile(r"[A-Za-z]*")


def classify(
    sql: str | bytes | bytearray,
    *,
    no_backslash_escapes: bool = False,
    ansi_quotes: bool = False,
    template: bool = False,
) -> Statement:
    """Classify one statement.

    The SQL modes must be those of the session, since a literal may end elsewhere under another: with
    NO_BACKSLASH_ESCAPES a backslash before a quote doesn't keep it from closing. The drivers escape by the
    server's own status flag, so the final bytes and the mode agree. Any text gets an answer; none raises.

    Args:
        sql: the text, or the final bytes. A session whose character set has ASCII bytes inside its multi-byte
            characters (gbk, sjis, big5, gb18030) must give text: bytes are read as Latin-1.
        no_backslash_escapes: the session's SQL mode has NO_BACKSLASH_ESCAPES.
        ansi_quotes: the session's SQL mode has ANSI_QUOTES.
        template: the driver will fill in parameters with ``%``. Without parameters the drivers leave ``%``
            alone, and so must this.
    """
    text = sql if isinstance(sql, str) else sql.decode("latin-1")
    mode = Mode(no_backslash_escapes, ansi_quotes, template)
    tokens, refusal = scan(text, mode)
    if refusal:
        first = tokens[0].text if tokens else ""
        return other(first, refusal, pin=f"what {first or 'it'} may have left in the session")

    def fine() -> list[Token]:
        return scan(text, Mode(no_backslash_escapes, ansi_quotes, template, fine=True)).tokens

    return judge(tokens, fine)


class StatementCache(dict[str | bytes, Statement]):
    """``cache[text]``: classified once, then one look-up.

    A dictionary, so that a hit costs no call. Bounded: when it is full, it is emptied and fills again with
    what is in use. Long texts are classified each time: they hold literals and don't come twice. Safe to
    share between threads; two may classify the same text at once, with the same answer.

    Args:
        limit: entries.
        longest: characters of the longest text that is kept.
        no_backslash_escapes: see `classify`; these belong to the cache because the answer depends on them.
        ansi_quotes: as above.
        template: as above.
    """

    __slots__ = ("_ansi_quotes", "_limit", "_longest", "_no_backslash_escapes", "_template")

    def __init__(
        self,
        *,
        limit: int = 2048,
        longest: int = 8192,
        no_backslash_escapes: bool = False,
        ansi_quotes: bool = False,
        template: bool = False,
    ) -> None:
        super().__init__()
        self._limit = limit
        self._longest = longest
        self._no_backslash_escapes = no_backslash_escapes
        self._ansi_quotes = ansi_quotes
        self._template = template

    def __missing__(self, sql: str | bytes) -> Statement:
        statement = classify(
            sql,
            no_backslash_escapes=self._no_backslash_escapes,
            ansi_quotes=self._ansi_quotes,
            template=self._template,
        )
        if len(sql) <= self._longest:
            if len(self) >= self._limit:
                self.clear()
            self[sql] = statement
        return statement


#: Of final texts, under the default SQL modes, for the whole process.
TEXTS = StatementCache()
_TEMPLATES = StatementCache(template=True)


def classify_cached(sql: str | bytes | bytearray, *, template: bool = False) -> Statement:
    """Classify with the process's own cache, under the default SQL modes.

    Args:
        sql: a statement's text or template.
        template: as for `classify`.
    """
    if isinstance(sql, bytearray):
        return classify(sql, template=template)
    return _TEMPLATES[sql] if template else TEXTS[sql]
