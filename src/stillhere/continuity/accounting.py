"""What a finished statement does to the journal and to the session state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillhere.continuity.journal import Journal
from stillhere.continuity.session import SessionState, Step
from stillhere.continuity.statement import Kind, Statement
from stillhere.server.errorcodes import rolled_back, spoils_replay

if TYPE_CHECKING:
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
        recording: whether it is to be recorded in the journal.
        dirty: whether anything was executed since the last COMMIT or ROLLBACK.
        continuations: how often the open transaction was continued.
    """

    __slots__ = (
        "_explicit",
        "autocommit",
        "continuations",
        "dirty",
        "journal",
        "recording",
        "session",
        "transactional",
    )

    def __init__(self, policy: Policy) -> None:
        self.journal = Journal(policy.journal_bytes, policy.journal_statements)
        self.session = SessionState()
        self.autocommit = True
        self.transactional = False
        self.recording = False
        self.dirty = False
        self.continuations = 0
        self._explicit = False

    def set_autocommit(self, on: bool) -> None:
        """The server has autocommit on or off now."""
        self.autocommit = on
        self._belongs(transactional=self._explicit or not on)

    def end_prologue(self) -> None:
        """The application has the connection in hand."""
        self.session.end_prologue()
        self._belongs(transactional=self.transactional)

    def succeeded(  # noqa: C901 - one branch for each kind
        self,
        sql: bytes,
        statement: Statement,
        cursor_class: type[Any] | None,
        seen: tuple[Any, ...] | None,
        now: float,
    ) -> None:
        """A statement that is not plain succeeded; plain ones go to the journal. Arguments as `Journal.add`."""
        self.dirty = True
        if self.session.in_prologue:
            self._account_prologue(statement, sql)
            return
        if statement.pin:
            self.session.pins[statement.pin] = None
        if statement.unpin:
            self.session.pins.pop(statement.unpin, None)
        kind = statement.kind
        if kind is Kind.SET:
            self._account_set(sql, statement, cursor_class, seen, now)
        elif kind is Kind.USE:
            self._account_session(sql, statement, cursor_class, seen, now)
        elif kind is Kind.SET_TRANSACTION:
            self.session.one_shot = Step(sql)
        elif kind is Kind.BEGIN:
            self.ended()
            self._begin(sql, statement, cursor_class, seen, now)
        elif kind is Kind.IMPLICIT_COMMIT:
            self.ended()
        elif kind is Kind.OTHER:
            if self.transactional or statement.verb not in _SELF_CONTAINED:
                self.journal.spoil(statement.reason, now)
        elif self.transactional:
            self.journal.add(sql, statement, cursor_class, seen, 0, now)
            if not statement.replayable:
                self.journal.spoil(statement.reason, now)

    def failed(
        self,
        sql: bytes,
        statement: Statement,
        cursor_class: type[Any] | None,
        errno: int,
        flavour: Flavour,
        now: float,
    ) -> None:
        """The server answered an error; the connection lives. Arguments as `Journal.add`."""
        self.dirty = True
        if self.session.in_prologue:
            return
        if rolled_back(errno, flavour):
            self.ended()
        elif spoils_replay(errno, flavour):
            if self.transactional:
                reason = f"a statement of it ended in error {errno}, after which part of it may be undone"
                self.journal.spoil(reason, now)
        elif statement.may_commit:
            if self.journal:
                self.journal.spoil(f"{statement.verb} failed, and may have committed before it did", now)
        elif self.transactional:
            self.journal.add(sql, statement, cursor_class, None, errno, now)

    def ended(self, *, chained: bool = False) -> None:
        """The transaction is over, by COMMIT, by ROLLBACK, implicitly or by the server."""
        session = self.session
        for sql in self.journal.end():
            session.accept(Step(sql))
        session.one_shot = None
        self._explicit = self.dirty = False
        self.transactional = not self.autocommit
        self.recording = self.transactional and not session.in_prologue
        self.continuations = 0
        if chained:
            self._explicit = True
            self._belongs(transactional=True)
            self.journal.spoil("it was begun by AND CHAIN", 0.0)

    def _belongs(self, *, transactional: bool) -> None:
        self.transactional = transactional
        self.recording = transactional and not self.session.in_prologue

    def _begin(
        self, sql: bytes, statement: Statement, cursor_class: type[Any] | None, seen: tuple[Any, ...] | None, now: float
    ) -> None:
        self._explicit = self.dirty = True
        self._belongs(transactional=True)
        self.journal.add(sql, statement, cursor_class, seen, 0, now)
        if statement.consistent_snapshot:
            self.journal.spoil("its snapshot was taken WITH CONSISTENT SNAPSHOT, and another is of another moment", now)

    def _account_set(
        self, sql: bytes, statement: Statement, cursor_class: type[Any] | None, seen: tuple[Any, ...] | None, now: float
    ) -> None:
        value = statement.autocommit
        if value is None:
            self._account_session(sql, statement, cursor_class, seen, now)
            return
        if value and not self.autocommit:
            self.ended()  # switching it on commits; setting it on again does not
        self.set_autocommit(value)
        self.session.accept(Step(sql))

    def _account_session(
        self, sql: bytes, statement: Statement, cursor_class: type[Any] | None, seen: tuple[Any, ...] | None, now: float
    ) -> None:
        if statement.pin or not statement.replayable:
            if self.journal:
                self.journal.spoil(statement.reason or f"the session holds {statement.pin}", now)
        elif self.journal:
            self.journal.add(sql, statement, cursor_class, seen, 0, now)
        else:
            self.session.accept(Step(sql))

    def _account_prologue(self, statement: Statement, sql: bytes) -> None:
        if statement.kind is Kind.READ:
            return
        self.session.accept(Step(sql))
        if statement.autocommit is not None:
            self.set_autocommit(statement.autocommit)
