"""What a run leaves behind, as frozen records: operations, troubles, and what the server stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "Cut",
    "Entry",
    "Kind",
    "Known",
    "LossSeen",
    "Operation",
    "Outage",
    "Outcome",
    "Seen",
    "Stored",
    "Troubles",
]


class Kind(Enum):
    """What a client did."""

    TRANSFER = "transfer"
    """Two balances, read with FOR UPDATE."""
    OPTIMISTIC = "optimistic transfer"
    """The same, read without locks and updated by version."""
    APPEND = "append"
    COUNT = "count"
    NOTE = "note"
    """One INSERT with autocommit."""
    SAVEPOINT = "savepoint"
    CARELESS = "careless"
    """Three INSERTs that may not be replayed, whose errors are swallowed before COMMIT."""
    CALL = "call"
    """A stored procedure that commits by itself: applied at most once, whatever its client is told."""
    AUDIT = "audit"
    """All balances and their sum."""
    READ_LIST = "list"
    READ_COUNTER = "counter"


class Outcome(Enum):
    """What the client was told."""

    OK = "ok"
    FAILED = "failed"
    """Not applied: a named error, a deadlock, a conflict."""
    UNKNOWN = "unknown"
    """May be applied or not, and was said to be so."""
    BARE = "bare"
    """The driver's own word about a lost connection, which says nothing about what was applied."""


class Known(Enum):
    """What is known of an error, beyond the outcome."""

    NOTHING = ""
    RAW = "a driver's bare error about a lost connection"
    LOCK = "a lock wait timeout"
    POOL = "no connection came out of the pool"
    DEFECT = "an error that nothing here should cause"


@dataclass(frozen=True, slots=True)
class LossSeen:
    """A loss that an operation met: the server's thread, the phase and the verb of its statement."""

    thread_id: int
    phase: str
    statement: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reading operation read, in one transaction.

    Attributes:
        total: sum of all balances, as the server added them up.
        accounts: version and balance by account.
        name: the list or the counter.
        items: positions and operations of a list, in order.
        number: a list's length as its head says, or the counter.
        logged: rows in the counter's log.
    """

    total: int = 0
    accounts: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    name: str = ""
    items: Sequence[tuple[int, str]] = ()
    number: int = 0
    logged: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one client.

    Attributes:
        id: unique; stored with every row that it writes.
        client: whose.
        kind: see there.
        invoked: when it began, on the monotonic clock.
        ended: when its client knew the outcome.
        outcome: see there.
        rows: labels of the rows that it stores when it is applied once.
        error: class of the error; empty for none.
        says: its message.
        known: see there.
        late: the error came after the success had been acknowledged.
        seen: what it read.
        losses: those that it met, in order; only where the arm tells.
    """

    id: str
    client: int
    kind: Kind
    invoked: float
    ended: float
    outcome: Outcome
    rows: tuple[str, ...] = ()
    error: str = ""
    says: str = ""
    known: Known = Known.NOTHING
    late: bool = False
    seen: Seen | None = None
    losses: tuple[LossSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection that the wire was told to cut.

    Attributes:
        at: when, on the monotonic clock.
        connection: the wire's number of it.
        number: of the command at which it was cut.
        thread_id: the server's id of it.
        verb: the command's first word.
        operation: the operation whose command it was; empty where it can't be told.
        when: name of the moment.
        by: name of what the client saw.
        ghost: the server's side was left open.
    """

    at: float
    connection: int
    number: int
    thread_id: int
    verb: str
    operation: str
    when: str
    by: str
    ghost: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """The server was restarted or crashed between two moments."""

    began: float
    ended: float
    crash: bool


@dataclass(frozen=True, slots=True)
class Troubles:
    """All that was done to the connections.

    Attributes:
        cuts: by the wire.
        kills: moment and thread id of each KILL.
        outages: restarts and crashes.
    """

    cuts: Sequence[Cut] = ()
    kills: Sequence[tuple[float, int]] = ()
    outages: Sequence[Outage] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a transfer as stored: what it did to an account, and what the account was afterwards.

    Attributes:
        operation: as written in it.
        parent: the operation of the transfer that it points to; empty where that is missing.
        account: whose.
        amount: added to the balance.
        version: of the account afterwards.
        balance: afterwards.
    """

    operation: str
    parent: str
    account: int
    amount: int
    version: int
    balance: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What the server holds at the end.

    Attributes:
        rows: how often each label is there, by operation; without what a label doesn't tell.
        entries: all legs of transfers.
        accounts: version and balance by account.
        lists: positions and operations by list, by position.
        lengths: by list, as its head says.
        counters: by name.
    """

    rows: Mapping[str, Counter[str]] = field(default_factory=dict)
    entries: Sequence[Entry] = ()
    accounts: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
