"""The records that classification answers with; import them from `stillhere.continuity.statement`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Insert", "Kind", "Statement"]


class Kind(Enum):
    """What a statement is to a transaction."""

    READ = "read"
    WRITE = "write"
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint"
    ROLLBACK_TO = "rollback to"
    RELEASE = "release savepoint"
    SET = "set"
    SET_TRANSACTION = "set transaction"
    """For the next transaction only. SET SESSION TRANSACTION is a SET."""
    USE = "use"
    IMPLICIT_COMMIT = "implicit commit"
    """Commits the open transaction before it runs: DDL, account statements, LOCK TABLES and their like."""
    OTHER = "other"
    """Everything that isn't known: taken for a write that may also commit."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A plain INSERT (REPLACE is none).

    Attributes:
        table: as written, unquoted, with its schema where it has one.
        columns: the columns given, unqualified, as written; ``None`` without a column list: then all of them.
        multi_row: more than one row of VALUES, as best known; true where it can't be told.
        select: the rows come from a query.
        on_duplicate: ON DUPLICATE KEY UPDATE.
        ignore: INSERT IGNORE.
        returning: RETURNING (MariaDB): the new id is in the rows, `lastrowid` isn't to be trusted.
    """

    table: str
    columns: tuple[str, ...] | None
    multi_row: bool = False
    select: bool = False
    on_duplicate: bool = False
    ignore: bool = False
    returning: bool = False

    @property
    def forceable(self) -> bool:
        """Whether ``SET insert_id`` may be put before it in a replay."""
        return not (self.on_duplicate or self.ignore)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of one statement from its text alone.

    Attributes:
        kind: what it is to a transaction.
        verb: its first word in upper case, for messages.
        replayable: it is on the whitelist for replay inside a transaction.
        reason: why not, in words for a message; empty when replayable.
        may_commit: it may commit the open transaction.
        locking: it reads with FOR UPDATE, FOR SHARE or LOCK IN SHARE MODE.
        nowait: NOWAIT or SKIP LOCKED.
        consistent_snapshot: START TRANSACTION WITH CONSISTENT SNAPSHOT.
        chain_or_release: COMMIT or ROLLBACK with AND CHAIN or RELEASE.
        pin: session state that it creates and that can't be restored; empty for none.
        unpin: the pin that it provably releases; empty for none.
        refers_to_last: it uses what the statement before it left behind (LAST_INSERT_ID(), FOUND_ROWS(),
            SHOW WARNINGS …).
        autocommit: the value that it sets autocommit to; ``None`` when it doesn't.
        tables: the names that stand where tables do: a superset.
        calls: the names that stand where functions do, in upper case: a superset, built-in ones included.
        assigns: the session variables that a SET sets, in lower case; ``names`` and ``character set`` for
            SET NAMES and SET CHARACTER SET, ``@name`` for user variables.
        insert: for a plain INSERT.
        plain: a replayable read or write that leaves nothing in the session; derived, for the hot path.
    """

    kind: Kind
    verb: str
    replayable: bool = False
    reason: str = ""
    may_commit: bool = False
    locking: bool = False
    nowait: bool = False
    consistent_snapshot: bool = False
    chain_or_release: bool = False
    pin: str = ""
    unpin: str = ""
    refers_to_last: bool = False
    autocommit: bool | None = None
    tables: tuple[str, ...] = ()
    calls: frozenset[str] = frozenset()
    assigns: tuple[str, ...] = ()
    insert: Insert | None = None
    plain: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        plain = self.kind in {Kind.READ, Kind.WRITE} and self.replayable and not (self.pin or self.unpin)
        object.__setattr__(self, "plain", plain)
