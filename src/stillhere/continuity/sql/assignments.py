"""SET: which of its forms can be run again on a new connection, word for word.

Only literals can: what an expression, a function or another variable gave at the time is gone. A few
variables aren't settings but steer the next statement or the replication stream; those are pins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillhere.continuity.sql.lexer import Token, TokenKind
from stillhere.continuity.sql.model import Kind, Statement

if TYPE_CHECKING:
    from stillhere.continuity.sql.facts import Facts

__all__ = ["judge"]

_SERVER_SCOPES = frozenset({"GLOBAL", "PERSIST", "PERSIST_ONLY"})
_SESSION_SCOPES = frozenset({"SESSION", "LOCAL"})
# Bare words that look like a name and are evaluated.
_NILADIC = frozenset(
    {
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "SYSDATE",
        "UTC_DATE",
        "UTC_TIME",
        "UTC_TIMESTAMP",
    }
)
_CONSTANTS = frozenset({"TRUE", "FALSE", "NULL"})
# They steer the next statement, the replication stream or the meaning of COMMIT.
_STEERING = frozenset(
    {
        "completion_type",
        "gtid_domain_id",
        "gtid_next",
        "gtid_seq_no",
        "identity",
        "insert_id",
        "last_insert_id",
        "original_commit_timestamp",
        "pseudo_replica_mode",
        "pseudo_slave_mode",
        "pseudo_thread_id",
        "rand_seed1",
        "rand_seed2",
        "server_id",
        "skip_replication",
        "sql_log_bin",
        "wsrep_on",
    }
)
# With "@@" and without a scope, they are for the next transaction only.
_TRANSACTION_VARIABLES = frozenset({"transaction_isolation", "transaction_read_only", "tx_isolation", "tx_read_only"})
_ON = frozenset({"1", "ON", "TRUE", "'ON'", "'1'", '"ON"', "'TRUE'"})
_OFF = frozenset({"0", "OFF", "FALSE", "'OFF'", "'0'", '"OFF"', "'FALSE'"})
_ACCOUNT = frozenset({"PASSWORD", "DEFAULT"})  # SET DEFAULT ROLE


@dataclass(slots=True)
class _Part:
    """One assignment: its variable, the words of its value, and what is wrong with it."""

    name: str
    value: tuple[str, ...] = ()
    reason: str = ""
    pin: str = ""
    unpin: str = ""
    next_transaction: bool = False
    autocommit: bool | None = None
    may_commit: bool = False


def judge(tokens: list[Token], facts: Facts) -> Statement | None:
    """Classify a SET; ``None`` when its form isn't known.

    Args:
        tokens: a fine scan, whose first token is SET.
        facts: of the same statement.
    """
    first = _word(tokens, 1)
    if first == "STATEMENT":
        return None
    if first in _ACCOUNT:
        return Statement(
            Kind.IMPLICIT_COMMIT,
            "SET PASSWORD" if first == "PASSWORD" else "SET DEFAULT ROLE",
            reason="an account statement commits what came before it",
            may_commit=True,
        )
    if first in ("ROLE", "RESOURCE"):
        verb = "SET ROLE" if first == "ROLE" else "SET RESOURCE GROUP"
        return _spoilt(f"{verb} can't be restored", verb)
    if "TRANSACTION" in (_word(tokens, 1), _word(tokens, 2)):
        return _transaction(tokens)
    if facts.words & _SERVER_SCOPES or any(_is_server_scope(token) for token in tokens):
        return _server()
    parts = [_part(part) for part in _split(tokens[1:])]
    return None if None in parts else _joined([part for part in parts if part is not None])


def _word(tokens: list[Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) and tokens[at].kind is TokenKind.WORD else ""


def _is_server_scope(token: Token) -> bool:
    scope = token.text.partition(".")[0].upper()
    return token.kind is TokenKind.SYSTEM_VARIABLE and scope in _SERVER_SCOPES


def _server() -> Statement:
    return Statement(Kind.OTHER, "SET GLOBAL", reason="it changes the server, not the session", may_commit=False)


def _spoilt(reason: str, pin: str) -> Statement:
    return Statement(Kind.SET, "SET", reason=reason, pin=pin)


_LEVELS = (
    ("READ", "UNCOMMITTED"),
    ("READ", "COMMITTED"),
    ("REPEATABLE", "READ"),
    ("SERIALIZABLE",),
)
_CHARACTERISTICS = frozenset(
    {("READ", "ONLY"), ("READ", "WRITE"), *(("ISOLATION", "LEVEL", *level) for level in _LEVELS)}
)


def _transaction(tokens: list[Token]) -> Statement | None:
    """``SET [SESSION | LOCAL | GLOBAL] TRANSACTION characteristic [, characteristic]``."""
    scope = _word(tokens, 1)
    scoped = scope != "TRANSACTION"
    if scope in _SERVER_SCOPES:
        return _server()
    if scoped and scope not in _SESSION_SCOPES:
        return None
    parts = _split(tokens[3 if scoped else 2 :])
    if any(tuple(token.text for token in part) not in _CHARACTERISTICS for part in parts):
        return None
    if scoped:
        return Statement(Kind.SET, "SET SESSION TRANSACTION", replayable=True, assigns=("transaction",))
    return Statement(Kind.SET_TRANSACTION, "SET TRANSACTION", replayable=True)


def _split(tokens: list[Token]) -> list[list[Token]]:
    """At the commas outside parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind is TokenKind.OPEN) - (token.kind is TokenKind.CLOSE)
        if token.kind is TokenKind.COMMA and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _part(tokens: list[Token]) -> _Part | None:  # noqa: PLR0911 - one return a form
    words = tuple(token.text for token in tokens)
    if _word(tokens, 0) == "NAMES":
        return _charset(tokens, "names", 1)
    if words[:2] == ("CHARACTER", "SET"):
        return _charset(tokens, "character set", 2)
    if _word(tokens, 0) in ("CHARSET", "CHAR") and "=" not in words and ":=" not in words:
        return _charset(tokens, "character set", 1 if words[0] == "CHARSET" else 2)
    at, name, marked, scoped = 0, "", False, False
    if _word(tokens, 0) in _SESSION_SCOPES and len(tokens) > 1 and tokens[1].text not in ("=", ":="):
        at, scoped = 1, True
    if at + 2 >= len(tokens) or tokens[at + 1].text not in ("=", ":="):
        return None
    target, value = tokens[at], tokens[at + 2 :]
    if target.kind is TokenKind.USER_VARIABLE:
        return _user_variable(target.text, value)
    if target.kind is TokenKind.SYSTEM_VARIABLE:
        scope, _, name = target.text.rpartition(".")
        if scope not in ("", "session", "local"):
            return None
        marked, scoped = True, scope != ""
    elif target.kind in (TokenKind.WORD, TokenKind.NAME):
        name = target.raw.lower()
    else:
        return None
    return _system_variable(name, value, next_transaction=marked and not scoped)


def _charset(tokens: list[Token], name: str, at: int) -> _Part | None:
    """``NAMES 'utf8mb4' [COLLATE 'utf8mb4_bin']`` and its shorter relatives."""
    value = tokens[at:]
    if len(value) == 1 and _is_literal(value):
        return _Part(name)
    if len(value) == 3 and value[1].text == "COLLATE" and _is_literal(value[:1]) and _is_literal(value[2:]):  # noqa: PLR2004 - name COLLATE name
        return _Part(name)
    return None


def _is_literal(value: list[Token], *, names: bool = True) -> bool:
    """Literals side by side (one text may be cut in several), or one bare word that isn't evaluated."""
    kinds = {token.kind for token in value}
    if kinds == {TokenKind.LITERAL}:
        return True
    if kinds != {TokenKind.WORD} or len(value) != 1:
        return False
    word = value[0].text
    return word in _CONSTANTS or (names and word not in _NILADIC)


def _user_variable(name: str, value: list[Token]) -> _Part:
    if name == "@" or not _is_literal(value, names=False):
        return _Part(name, reason="a user variable is set to an expression", pin="user variable")
    return _Part(name.lower())


def _system_variable(name: str, value: list[Token], *, next_transaction: bool) -> _Part:
    text = value[0].text.upper()
    if name in _STEERING:
        return _Part(name, reason=f"{name} isn't a setting of the session", pin=name)
    if not _is_literal(value):
        return _Part(
            name,
            reason=f"{name} is set to an expression",
            pin="session variable set to an expression",
            may_commit=name == "autocommit",
        )
    if name == "timestamp":
        reset = text in ("DEFAULT", "0") and len(value) == 1
        return _Part(name, unpin=name) if reset else _Part(name, reason="it stops the session's clock", pin=name)
    if name == "autocommit":
        return _autocommit(text)
    return _Part(name, next_transaction=next_transaction and name in _TRANSACTION_VARIABLES)


def _autocommit(text: str) -> _Part:
    if text in _ON:
        return _Part("autocommit", autocommit=True, may_commit=True)
    if text in _OFF:
        return _Part("autocommit", autocommit=False)
    reason = "what autocommit is set to isn't in the text"
    return _Part("autocommit", reason=reason, pin="session variable set to an expression", may_commit=True)


def _joined(parts: list[_Part]) -> Statement:
    """One statement of its assignments: each must be good for the whole to be."""
    names = tuple(part.name for part in parts)
    spoilt = next((part for part in parts if part.reason), None)
    single = len(parts) == 1
    following = any(part.next_transaction for part in parts)
    reason = spoilt.reason if spoilt else ""
    pin = next((part.pin for part in parts if part.pin), "")
    if following and not single and not reason:
        reason, pin = (
            "it mixes the next transaction with the session",
            "session variable set to an expression",
        )
    return Statement(
        Kind.SET_TRANSACTION if following else Kind.SET,
        "SET",
        replayable=not reason,
        reason=reason,
        may_commit=any(part.may_commit for part in parts),
        pin=pin,
        unpin=next((part.unpin for part in parts if part.unpin), "") if not pin else "",
        autocommit=next((part.autocommit for part in reversed(parts) if part.autocommit is not None), None),
        assigns=names,
    )
