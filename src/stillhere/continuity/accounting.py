"""What a finished statement does to the journal and to the session state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillhere.continuity.journal import Entry, Journal, is_session_statement
from stillhere.continuity.session import SessionState, Step
from stillhere.continuity.statement import Kind, Statement
from stillhere.server.errorcodes import rolled_back, spoils_replay

if TYPE_CHECKING:
    from stillhere.drivers.base import Outcome
    from stillhere.policy import Policy
    from stillhere.server.versions import Flavour

__all__ = ["Ledger"]

# Outside the whitelist, and yet unable to begin a transaction or to change the session.
_SELF_CONTAINED = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "REPLACE",
        "WITH",
        "TABLE",
        "VALUES",
        "LOAD",
        "EXPLAIN",
        "ANALYZE",
        "HELP",
    }
)


class Ledger:
    """The transaction and the session of one logical connection, as far as the server has told.

    Attributes:
        journal: the open transaction.
        session: what outlives transactions.
        autocommit: the session's autocommit.
        transactional: whether the next statement belongs to a transaction that needs a COMMIT.
        dirty: whether anything was executed since the last COMMIT or ROLLBACK.
        continuations: how often the open transaction was continued.
    """

    __slots__ = ("_explicit", "autocommit", "continuations", "dirty", "journal", "session", "transactional")

    def __init__(self, policy: Policy) -> None:
        self.journal = Journal(policy.journal_bytes, policy.journal_statements)
        self.session = SessionState()
        self.autocommit = True
        self.transactional = False
        self.dirty = False
        self.continuations = 0
        self._explicit = False

    def set_autocommit(self, on: bool) -> None:
        """The server has autocommit on or off now."""
        self.autocommit = on
        self.transactional = self._explicit or not on

    def succeeded(  # noqa: C901 - one branch for each kind
        self,
        statement: Statement,
        sql: bytes,
        cursor_class: type[Any] | None,
        outcome: Outcome | None,
        now: float,
    ) -> None:
        """A statement that is no plain read or write succeeded; those go to the journal directly."""
        self.dirty = True
        if self.session.in_prologue:
            self._account_prologue(statement, sql)
            return
        kind = statement.kind
        entry = Entry(sql, statement, cursor_class, outcome, 0)
        if statement.pin:
            self.session.pins[statement.pin] = None
        if statement.unpin:
            self.session.pins.pop(statement.unpin, None)
        if kind is Kind.SET:
            self._account_set(entry, now)
        elif kind is Kind.USE:
            self._account_session(entry, now)
        elif kind is Kind.SET_TRANSACTION:
            self.session.one_shot = Step(sql)
        elif kind is Kind.BEGIN:
            self.ended()
            self._begin(entry, now)
        elif kind is Kind.IMPLICIT_COMMIT:
            self.ended()
        elif kind is Kind.OTHER:
            if self.transactional or statement.verb not in _SELF_CONTAINED:
                self.journal.spoil(statement.reason, now)
        elif self.transactional:
            self._record(entry, now)

    def failed(
        self,
        statement: Statement,
        sql: bytes,
        cursor_class: type[Any] | None,
        errno: int,
        flavour: Flavour,
        now: float,
    ) -> None:
        """The server answered an error; the connection lives."""
        self.dirty = True
        if self.session.in_prologue:
            return
        if rolled_back(errno, flavour):
            self.ended()
        elif spoils_replay(errno, flavour):
            if self.transactional:
                self.journal.spoil(
                    f"a statement of it ended in error {errno}, after which part of it may be undone", now
                )
        elif statement.may_commit:
            if self.journal:
                self.journal.spoil(f"{statement.verb} failed, and may have committed before it did", now)
        elif self.transactional:
            self._record(Entry(sql, statement, cursor_class, None, errno), now)

    def ended(self, *, chained: bool = False) -> None:
        """The transaction is over, by COMMIT, by ROLLBACK, implicitly or by the server."""
        for entry in self.journal.end():
            self.session.accept(Step(entry.sql))
        self.session.one_shot = None
        self._explicit = False
        self.transactional = not self.autocommit
        self.dirty = False
        self.continuations = 0
        if chained:
            self._explicit = self.transactional = True
            self.journal.spoil("it was begun by AND CHAIN", 0.0)

    def _begin(self, entry: Entry, now: float) -> None:
        self._explicit = self.transactional = self.dirty = True
        self.journal.add(entry, now)
        if entry.statement.consistent_snapshot:
            self.journal.spoil("its snapshot was taken WITH CONSISTENT SNAPSHOT, and another is of another moment", now)

    def _record(self, entry: Entry, now: float) -> None:
        self.journal.add(entry, now)
        if not entry.statement.replayable and not is_session_statement(entry.statement):
            self.journal.spoil(entry.statement.reason, now)

    def _account_set(self, entry: Entry, now: float) -> None:
        value = entry.statement.autocommit
        if value is None:
            self._account_session(entry, now)
            return
        if value:
            self.ended()
        self.set_autocommit(value)
        self.session.accept(Step(entry.sql))

    def _account_session(self, entry: Entry, now: float) -> None:
        if entry.statement.pin or not entry.statement.replayable:
            if self.journal:
                self.journal.spoil(entry.statement.reason or f"the session holds {entry.statement.pin}", now)
        elif self.journal:
            self.journal.add(entry, now)
        else:
            self.session.accept(Step(entry.sql))

    def _account_prologue(self, statement: Statement, sql: bytes) -> None:
        if statement.kind is Kind.READ:
            return
        self.session.accept(Step(sql))
        if statement.autocommit is not None:
            self.set_autocommit(statement.autocommit)
