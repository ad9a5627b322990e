"""The whitelist: what each first word makes of a statement, and what spoils it.

Everything that isn't found here, or has a part that isn't expected, is `other`: a write that may commit,
can't be replayed, and may have changed the session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillhere.continuity.sql import assignments
from stillhere.continuity.sql.facts import Facts, gather, tables
from stillhere.continuity.sql.inserts import insert_of
from stillhere.continuity.sql.lexer import Token, TokenKind
from stillhere.continuity.sql.model import Kind, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["judge", "other"]

_LOCK_FUNCTIONS = frozenset(
    {
        "GET_LOCK",
        "SERVICE_GET_READ_LOCKS",
        "SERVICE_GET_WRITE_LOCKS",
        "VERSION_TOKENS_LOCK_SHARED",
        "VERSION_TOKENS_LOCK_EXCLUSIVE",
    }
)
# Functions whose effect or answer isn't the transaction's, so that a replay proves nothing.
_OUTSIDE_FUNCTIONS = frozenset(
    {
        "RELEASE_LOCK",
        "RELEASE_ALL_LOCKS",
        "IS_FREE_LOCK",
        "IS_USED_LOCK",
        "SERVICE_RELEASE_LOCKS",
        "VERSION_TOKENS_UNLOCK",
        "CONNECTION_ID",
        "PS_CURRENT_THREAD_ID",
        "MASTER_POS_WAIT",
        "SOURCE_POS_WAIT",
        "MASTER_GTID_WAIT",
        "WAIT_FOR_EXECUTED_GTID_SET",
        "WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS",
        "WSREP_SYNC_WAIT_UPTO_GTID",
        "SYS_EXEC",
        "SYS_EVAL",
    }
)
_SEQUENCE_WORDS = frozenset({"NEXTVAL", "LASTVAL", "SETVAL", "CURRVAL"})
_SEQUENCE_PAIRS = frozenset({("NEXT", "VALUE"), ("PREVIOUS", "VALUE")})
_LAST_FUNCTIONS = frozenset({"LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT"})
_LAST_VARIABLES = frozenset(
    {
        "identity",
        "last_insert_id",
        "insert_id",
        "warning_count",
        "error_count",
        "last_gtid",
        "rand_seed1",
        "rand_seed2",
    }
)
_IMPATIENT_PAIRS = frozenset(
    {
        ("SKIP", "LOCKED"),
        ("UPDATE", "WAIT"),
        ("SHARE", "WAIT"),
        ("MODE", "WAIT"),
    }  # MariaDB's WAIT 0 is NOWAIT
)
_LOCKING_PAIRS = frozenset({("FOR", "UPDATE"), ("FOR", "SHARE"), ("LOCK", "IN")})
_IDENTIFIERS = (TokenKind.WORD, TokenKind.NAME)
_NEVER_FIRST_IN_DML = frozenset({"DELAYED", "HISTORY"})


@dataclass(frozen=True, slots=True)
class _Text:
    """One statement on its way through the table."""

    verb: str
    tokens: list[Token]
    facts: Facts
    fine: Callable[[], list[Token]]

    @property
    def words(self) -> tuple[str, ...]:
        """The statement as words, when it is nothing but words, commas and identifiers."""
        return tuple(token.text for token in self.tokens)

    def word(self, index: int) -> str:
        """The bare word there; empty for anything else."""
        token = self.tokens[index] if index < len(self.tokens) else None
        return token.text if token is not None and token.kind is TokenKind.WORD else ""


def other(verb: str, reason: str, *, pin: str = "") -> Statement:
    """What isn't known: a write that may commit."""
    return Statement(Kind.OTHER, verb, reason=reason, may_commit=True, pin=pin)


def judge(tokens: list[Token], fine: Callable[[], list[Token]]) -> Statement:
    """Classify what was cut to its end.

    Args:
        tokens: a coarse scan.
        fine: scans the text once more, finely, for those verbs in whose parts each literal counts.
    """
    facts = gather(tokens)
    start = 0
    while start < len(tokens) and tokens[start].kind is TokenKind.OPEN:
        start += 1
    if start == len(tokens):
        return other("", "there is no statement in it")
    first = tokens[start]
    verb = first.text if first.kind is TokenKind.WORD else ""
    text = _Text(verb, tokens, facts, fine)
    if facts.refusal:
        return _unknown(text, facts.refusal)
    rule = _VERBS.get(verb, _unknown)
    if start and verb not in ("SELECT", "VALUES", "TABLE"):
        rule = _unknown
    return rule(text)


def _unknown(text: _Text, reason: str = "") -> Statement:
    pin = _pin(text.facts) or f"what {text.verb or 'it'} may have left in the session"
    return other(text.verb, reason or f"{text.verb or 'it'} isn't known to be safe to run again", pin=pin)


def _known(text: _Text, reason: str) -> Statement:
    """Not on the whitelist, but known to leave nothing in the session beyond what its text shows."""
    return other(text.verb, reason, pin=_pin(text.facts))


def _pin(facts: Facts) -> str:
    if facts.calls & _LOCK_FUNCTIONS:
        return "GET_LOCK"
    if facts.assigns:
        return "user variable"
    return ""


def _spoiler(facts: Facts) -> str:
    """Why not even a plain statement may be run again; empty when it may."""
    if facts.assigns:
        return "it assigns a user variable inside an expression"
    outside = facts.calls & (_LOCK_FUNCTIONS | _OUTSIDE_FUNCTIONS)
    if outside:
        return f"{min(outside)}() reaches beyond the transaction"
    if facts.words & _SEQUENCE_WORDS or facts.calls & _SEQUENCE_WORDS or facts.pairs & _SEQUENCE_PAIRS:
        return "a sequence's numbers aren't given back"
    if "LAST_INSERT_ID" in facts.calls_with_arguments:
        return "LAST_INSERT_ID(…) writes session state"
    if "pseudo_thread_id" in facts.system_variables:
        return "the connection's number changes with the connection"
    return ""


def _plain(text: _Text, kind: Kind) -> Statement:
    """A read or a write that runs inside a transaction."""
    facts = text.facts
    reason = _spoiler(facts)
    return Statement(
        kind,
        text.verb,
        replayable=not reason,
        reason=reason,
        locking=bool(facts.pairs & _LOCKING_PAIRS),
        nowait="NOWAIT" in facts.words or bool(facts.pairs & _IMPATIENT_PAIRS),
        pin=_pin(facts),
        refers_to_last=bool(facts.calls & _LAST_FUNCTIONS or facts.system_variables & _LAST_VARIABLES),
        tables=tables(text.tokens),
        calls=facts.calls,
    )


def _read(text: _Text) -> Statement:
    if "INTO" in text.facts.words:
        return _into(text)
    plain = _plain(text, Kind.READ)
    if _shape(text.tokens) == ("SELECT", "RELEASE_ALL_LOCKS", "(", ")"):
        return replace(plain, unpin="GET_LOCK")
    return plain


def _into(text: _Text) -> Statement:
    """SELECT … INTO a file, a user variable, or what else there may be."""
    if text.facts.words & {"OUTFILE", "DUMPFILE"}:
        return replace(other(text.verb, "INTO OUTFILE writes a file", pin=_pin(text.facts)), may_commit=False)
    pin = _pin(text.facts) or "user variable"
    return replace(other(text.verb, "SELECT … INTO assigns variables", pin=pin), may_commit=False)


def _explain(text: _Text) -> Statement:
    if "ANALYZE" in text.facts.words:
        return _known(text, f"{text.verb} ANALYZE runs the statement")
    if "INTO" in text.facts.words and not text.facts.words & {"INSERT", "REPLACE"}:
        return _into(text)
    if "INTO" in text.facts.words and any(t.kind is TokenKind.USER_VARIABLE for t in text.tokens):
        return _into(text)  # EXPLAIN INTO @variable FORMAT=JSON INSERT …
    return _plain(text, Kind.READ)


def _show(text: _Text) -> Statement:
    if "INTO" in text.facts.words:
        return _into(text)
    plain = _plain(text, Kind.READ)
    return replace(plain, refers_to_last=True) if text.facts.words & {"WARNINGS", "ERRORS"} else plain


def _with(text: _Text) -> Statement:
    """The first verb outside parentheses decides: a common table expression's own body is inside them."""
    depth = 0
    for kind, word, _ in text.tokens:
        if kind is TokenKind.OPEN:
            depth += 1
        elif kind is TokenKind.CLOSE:
            depth -= 1
        elif depth == 0 and kind is TokenKind.WORD and word in _MAIN_VERBS:
            return _read(text) if word == "SELECT" else _known(text, f"WITH … {word} isn't known")
    return _known(text, "WITH of a form that isn't known")


_MAIN_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "TABLE", "VALUES"})


def _write(text: _Text) -> Statement:
    early = {text.word(1), text.word(2)} & _NEVER_FIRST_IN_DML
    if early:
        return _known(text, f"{text.verb} {min(early)} isn't known")
    return _plain(text, Kind.WRITE)


def _insert(text: _Text) -> Statement:
    plain = _write(text)
    if plain.kind is not Kind.WRITE:
        return plain
    insert = insert_of(text.tokens)
    if insert is None:
        return _known(text, "an INSERT of a form that isn't known")
    if insert.on_duplicate and (insert.multi_row or insert.select):
        reason = plain.reason or "ON DUPLICATE KEY UPDATE with several rows gives out ids that can't be repeated"
        return replace(plain, insert=insert, replayable=False, reason=reason)
    return replace(plain, insert=insert)


def _begin(text: _Text) -> Statement:
    if text.words not in (("BEGIN",), ("BEGIN", "WORK")):
        return _unknown(text, "a compound statement may do anything")
    return Statement(Kind.BEGIN, "BEGIN", replayable=True, may_commit=True)


_TRANSACTION_MODES = frozenset({("WITH", "CONSISTENT", "SNAPSHOT"), ("READ", "WRITE"), ("READ", "ONLY")})


def _start(text: _Text) -> Statement:
    if text.word(1) != "TRANSACTION":
        return _implicit(text)
    modes: list[tuple[str, ...]] = [()]
    for token in text.tokens[2:]:
        if token.text == ",":
            modes.append(())
        else:
            modes[-1] = (*modes[-1], token.text)
    if modes != [()] and not set(modes) <= _TRANSACTION_MODES:
        return _unknown(text)
    snapshot = ("WITH", "CONSISTENT", "SNAPSHOT") in modes
    return Statement(
        Kind.BEGIN,
        "START TRANSACTION",
        replayable=not snapshot,
        reason="a consistent snapshot can't be taken again" if snapshot else "",
        may_commit=True,
        consistent_snapshot=snapshot,
    )


def _end(text: _Text) -> Statement:
    """COMMIT and ROLLBACK: ``[WORK] [AND [NO] CHAIN] [[NO] RELEASE]``, or ROLLBACK TO."""
    words = list(text.words[1:])
    if words[:1] == ["WORK"]:
        del words[0]
    if text.verb == "ROLLBACK" and words[:1] == ["TO"]:
        return _rollback_to(text, words)
    chain = words[:2] == ["AND", "CHAIN"]
    if chain:
        del words[:2]
    elif words[:3] == ["AND", "NO", "CHAIN"]:
        del words[:3]
    release = words == ["RELEASE"]
    if words not in ([], ["RELEASE"], ["NO", "RELEASE"]):
        return _unknown(text)
    kind = Kind.COMMIT if text.verb == "COMMIT" else Kind.ROLLBACK
    special = chain or release
    return Statement(
        kind,
        text.verb,
        replayable=not special,
        reason=f"{text.verb} {'AND CHAIN' if chain else 'RELEASE'} begins or ends more than a transaction"
        if special
        else "",
        may_commit=kind is Kind.COMMIT,
        chain_or_release=special,
    )


def _rollback_to(text: _Text, words: list[str]) -> Statement:
    rest = words[2:] if words[1:2] == ["SAVEPOINT"] and len(words) > len(["TO", "SAVEPOINT"]) else words[1:]
    if len(rest) != 1 or text.tokens[-1].kind not in _IDENTIFIERS:
        return _unknown(text)
    return Statement(Kind.ROLLBACK_TO, "ROLLBACK TO", replayable=True)


def _naming(kind: Kind, *verb: str) -> Callable[[_Text], Statement]:
    """A verb of one or two words with one name behind it, and nothing else."""

    def rule(text: _Text) -> Statement:
        head, tail = text.words[: len(verb)], text.tokens[len(verb) :]
        if head == verb and len(tail) == 1 and tail[0].kind in _IDENTIFIERS:
            return Statement(kind, " ".join(verb), replayable=True)
        return _unknown(text)

    return rule


def _set(text: _Text) -> Statement:
    return assignments.judge(text.fine(), text.facts) or _unknown(text)


def _implicit(text: _Text) -> Statement:
    return Statement(
        Kind.IMPLICIT_COMMIT,
        text.verb,
        reason=f"{text.verb} commits what came before it",
        may_commit=True,
        pin=_pin(text.facts),
        tables=tables(text.tokens),
    )


def _create(text: _Text) -> Statement:
    head = [text.word(index) for index in range(1, 5)]
    if head[:2] == ["OR", "REPLACE"]:
        head = head[2:]
    if head[:1] == ["TEMPORARY"]:
        verb = f"{text.verb} TEMPORARY {head[1]}".rstrip()
        certain = head[1] == "TABLE" and text.word(1) == "TEMPORARY"
        pin = "temporary table" if text.verb == "CREATE" else _pin(text.facts)
        reason = "a temporary table belongs to its connection"
        return replace(other(verb, reason, pin=pin), may_commit=not certain, tables=tables(text.tokens))
    return _implicit(text)


def _lock(text: _Text) -> Statement:
    """LOCK and UNLOCK, of TABLES or (MySQL) of the INSTANCE, which commits nothing."""
    tables_ = text.word(1) in ("TABLES", "TABLE")
    lock = "LOCK TABLES" if tables_ else f"LOCK {text.word(1)}"
    plain = _implicit(text) if tables_ else other(text.verb, "locks belong to their connection")
    if text.verb == "LOCK":
        return replace(plain, verb=lock, pin=lock)
    return replace(plain, verb=f"UN{lock}", unpin=lock)


def _flush(text: _Text) -> Statement:
    held = text.facts.pairs & {("WITH", "READ"), ("FOR", "EXPORT"), ("AND", "DISABLE")}
    return replace(_implicit(text), pin="LOCK TABLES" if held else "")


def _analyze(text: _Text) -> Statement:
    if "TABLE" in (text.word(1), text.word(2)) or "TABLES" in (text.word(1), text.word(2)):
        return _implicit(text)
    return _known(text, "ANALYZE runs the statement")


def _load(text: _Text) -> Statement:
    if text.word(1) == "INDEX":
        return _implicit(text)
    return other(text.verb, f"LOAD {text.word(1)} reads a file", pin=_pin(text.facts))


def _do(text: _Text) -> Statement:
    done = other("DO", "DO runs functions for their side effects", pin=_pin(text.facts))
    if _shape(text.tokens) == ("DO", "RELEASE_ALL_LOCKS", "(", ")"):
        return replace(done, unpin="GET_LOCK")
    return done


def _holding(pin: str) -> Callable[[_Text], Statement]:
    """A verb that leaves one known thing behind in the session."""

    def rule(text: _Text) -> Statement:
        return other(text.verb, f"{text.verb} leaves state in the session", pin=pin)

    return rule


def _aside(text: _Text) -> Statement:
    return _known(text, f"{text.verb} isn't the transaction's business")


def _get(text: _Text) -> Statement:
    return replace(other(text.verb, "GET DIAGNOSTICS assigns variables", pin="user variable"), refers_to_last=True)


def _shape(tokens: list[Token]) -> tuple[str, ...]:
    """A short statement's texts, upper case; empty for a longer one."""
    return tuple(token.text.upper() for token in tokens) if len(tokens) <= 4 else ()  # noqa: PLR2004 - f()


_VERBS: dict[str, Callable[[_Text], Statement]] = {
    "SELECT": _read,
    "TABLE": _read,
    "VALUES": _read,
    "WITH": _with,
    "SHOW": _show,
    "EXPLAIN": _explain,
    "DESCRIBE": _explain,
    "DESC": _explain,
    "INSERT": _insert,
    "REPLACE": _write,
    "UPDATE": _write,
    "DELETE": _write,
    "BEGIN": _begin,
    "START": _start,
    "COMMIT": _end,
    "ROLLBACK": _end,
    "SAVEPOINT": _naming(Kind.SAVEPOINT, "SAVEPOINT"),
    "RELEASE": _naming(Kind.RELEASE, "RELEASE", "SAVEPOINT"),
    "SET": _set,
    "USE": _naming(Kind.USE, "USE"),
    "CREATE": _create,
    "DROP": _create,
    "LOCK": _lock,
    "UNLOCK": _lock,
    "FLUSH": _flush,
    "ANALYZE": _analyze,
    "LOAD": _load,
    "DO": _do,
    "GET": _get,
    "BINLOG": _aside,
    "CHECKSUM": _aside,
    "CLONE": _aside,
    "HELP": _aside,
    "KILL": _aside,
    "PURGE": _aside,
    "SIGNAL": _aside,
    "HANDLER": _holding("HANDLER"),
    "PREPARE": _holding("PREPARE"),
    "XA": _holding("XA"),
    "ALTER": _implicit,
    "TRUNCATE": _implicit,
    "RENAME": _implicit,
    "GRANT": _implicit,
    "REVOKE": _implicit,
    "OPTIMIZE": _implicit,
    "REPAIR": _implicit,
    "CHECK": _implicit,
    "INSTALL": _implicit,
    "UNINSTALL": _implicit,
    "CACHE": _implicit,
    "RESET": _implicit,
    "STOP": _implicit,
    "CHANGE": _implicit,
    "IMPORT": _implicit,
}
