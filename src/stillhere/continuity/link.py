"""The link between one logical connection and its physical ones: the path that every call takes."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from os import getpid
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, cast

from stillhere.continuity import endings, explaining
from stillhere.continuity.accounting import Ledger
from stillhere.continuity.continuation import Call
from stillhere.continuity.facts import UNKNOWN_FACTS, Facts
from stillhere.continuity.fence import Ghost
from stillhere.continuity.liveness import BLIND, Blind, Ending, Peek
from stillhere.continuity.losses import lost_by, pass_on_unless_lost
from stillhere.continuity.packets import largest_statement, too_large
from stillhere.continuity.recovery import Recovery, reopen
from stillhere.continuity.session import SessionState, Step, reading_mode
from stillhere.continuity.statement import TEXTS, Kind, Statement, classify
from stillhere.continuity.states import LinkState, may_follow
from stillhere.continuity.streams import stream_began
from stillhere.continuity.verdict import Liveness, Phase
from stillhere.drivers.base import shut_down
from stillhere.errors import ConnectionMisused, TransactionLost

if TYPE_CHECKING:
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.witness import Token

__all__ = ["Link"]

# A statement that follows the one before within this time is sent without a look at the socket: what a
# cut in so short a time does to it is settled by its verdict like any other.
_LOOK_AFTER = 0.05
_logger = logging.getLogger("stillhere")
_NO_LIMIT = 1 << 62
_NEVER = float("inf")
# Codecs in which the second byte of a character can be a quote or a backslash of ASCII.
_ASCII_INSIDE = frozenset({"gbk", "gb18030", "gb2312", "big5", "sjis", "shift_jis", "cp932"})
_READY, _DEAD = LinkState.READY, Liveness.DEAD
_ENDS = frozenset({Kind.COMMIT, Kind.ROLLBACK})

# Pinging and naming a character set leave nothing in a transaction: their bytes are empty, nothing is recorded.
_PING = classify(b"SELECT 1")
_SET_NAMES = classify(b"SET NAMES utf8mb4")


class Link:
    """One logical connection's state, and what it does around each call.

    Attributes:
        endpoint: what it shares with the other connections of its engine.
        driver: the endpoint's driver.
        chain: opens a physical connection, the user's whole way.
        alone_witnessed: whether a write outside a transaction becomes one, for the witness.
        state: where the connection stands.
        ledger: its transaction and its session.
        owner: the thread that is inside a call, 0 for none. Calls that this thread makes meanwhile are the driver's
            own or ours.
        descriptor: of the physical connection's socket; -1 for none. Kept, because mysqlclient tells nothing to
            another thread than the one that is inside a call.
        opened_by: process and thread that opened the present or last physical connection.
        facts: what was learned of the present or last physical connection.
        previous_facts: the same of the one before.
        sent_at: monotonic time at which the statement in flight was sent; 0 when none is.
        condemned: why the watchdog shut the socket down under the statement in flight; empty when it did not.
        returning: whether it is on its way back to a pool. A loss then costs the physical connection only: what resets
            the session has nothing left to reset, and an error there would cost the pool its slot for good.
        token: what the transaction being committed left with the witness; None for nothing.
        end_sent: whether the COMMIT itself has been sent, not just its witness.
        more_results: whether the last statement may have left more result sets than the first unread.
        results_of: the cursor that ran it.
        lost_why: why the transaction was lost, while in `LinkState.LOST`.
        lost_uncommitted: whether it is known that nothing of it was committed, and that nobody ended it on purpose.
    """

    __slots__ = (
        "__weakref__", "_observe", "_packet_limit", "_peek", "_read_mode", "_slow",
        "alone_witnessed", "chain", "condemned", "descriptor", "driver", "end_sent", "endpoint", "facts", "last_used",
        "ledger", "lock", "lost_uncommitted", "lost_why", "more_results", "opened_at", "opened_by", "owner",
        "previous_facts", "replay_off", "results_of", "returning", "sent_at", "state", "stream", "token", "watching",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, chain: Callable[[], Any]) -> None:
        self.endpoint = endpoint
        self.driver = endpoint.driver
        self.chain = chain
        self.state = LinkState.OPENING
        self.ledger = Ledger(endpoint.policy)
        self.owner = 0
        self.descriptor = -1
        self.facts: Facts = UNKNOWN_FACTS
        self.previous_facts: Facts = UNKNOWN_FACTS
        self.sent_at = 0.0
        self.last_used = self.opened_at = monotonic()
        self.opened_by = (getpid(), get_ident())
        self.condemned = ""
        self.lost_why = ""
        self.lost_uncommitted = False
        self.replay_off = not endpoint.policy.replay
        self.more_results = False
        self.results_of: weakref.ref[Any] | None = None
        self.returning = False
        self.token: Token | None = None
        self.end_sent = False
        self._observe = endpoint.driver.observe
        self.alone_witnessed = endpoint.policy.witness_autocommit
        self._slow = (endpoint.policy.detect_within or _NEVER) * 0.5
        self._peek: Peek | Blind = BLIND
        self._packet_limit = _NO_LIMIT
        self._read_mode = ""
        self.stream: weakref.ref[Any] | None = None
        # Held through each call. Never waited for: who finds it taken is a second thread on one connection,
        # whose statement would be written into the middle of the first one's reply.
        self.lock = threading.Lock()
        # Held by the watchdog while it decides and shuts down; a slow call passes through it before it
        # lets go of the socket, so that the next statement's can't be shut down in its place.
        self.watching = threading.Lock()

    @property
    def session(self) -> SessionState:
        """The ledger's session state."""
        return self.ledger.session

    def classify(self, connection: Any, sql: bytes) -> Statement:
        """The class of final bytes, read as this session's server reads them."""
        encoding = self.driver.encoding(connection)
        mode = self.sql_mode
        if not mode and encoding not in _ASCII_INSIDE:
            return TEXTS[sql]
        if "OTHER_GRAMMAR" in mode:
            return classify(b"under another grammar")
        return classify(
            sql.decode(encoding, "replace") if encoding in _ASCII_INSIDE else sql,
            no_backslash_escapes="NO_BACKSLASH_ESCAPES" in mode,
            ansi_quotes="ANSI_QUOTES" in mode,
        )

    @property
    def sql_mode(self) -> str:
        """What of the session's SQL mode changes how statements are read, as far as known; mostly empty."""
        mode = self.ledger.session.sql_mode
        return self._read_mode if mode is None else mode

    @property
    def pin(self) -> str:
        """Session state that can't be restored; empty for none."""
        if self.stream is not None and self.stream() is not None:
            return "a result that is still being read"
        if self.session.overflowing:
            return f"more than {self.session.limit} session statements"
        return ", ".join(self.session.pins)

    @property
    def autocommit(self) -> bool:
        """Whether autocommit is on for the logical connection."""
        return self.ledger.autocommit

    def become(self, state: LinkState) -> None:
        """Pass to another state; an illegal step is a defect and raises `RuntimeError`."""
        if not may_follow(self.state, state):
            raise RuntimeError(f"illegal step from {self.state} to {state}")
        self.state = state

    # -- physical connections ------------------------------------------------------------------------

    def attached(self, connection: Any, facts: Facts) -> None:
        """A physical connection has just been opened inside ``connection``."""
        self.descriptor = self.driver.descriptor(connection)
        self._peek = Peek(self.descriptor) if self.descriptor >= 0 else BLIND
        self._read_mode = reading_mode(facts.sql_mode)
        self._packet_limit = largest_statement(facts.max_allowed_packet) if facts.max_allowed_packet else _NO_LIMIT
        self.stream = None
        self.previous_facts, self.facts = self.facts, facts
        self.condemned = ""
        self.opened_by = (getpid(), get_ident())
        self.last_used = self.opened_at = monotonic()
        self.become(LinkState.READY)

    def detached(self, connection: Any, state: LinkState, *, ghost: bool, farewell: bool = False) -> None:
        """The physical connection is of no more use: close it, and remember what it leaves behind.

        ``farewell``: it is good, and is given up before its time, so that the server hears of it.
        """
        if ghost and self.facts.thread_id:
            self.endpoint.add_ghost(Ghost(self.facts))
        cursor = self.results_of() if self.results_of is not None else None
        if cursor is not None and self.more_results and self.driver.more_results(connection):
            cursor._stillhere_unread = True  # noqa: SLF001 - ours; its next nextset() says that they are lost
        self.more_results, self.results_of = False, None
        self._peek = BLIND
        self.descriptor = -1
        self.stream = None
        self.lost_uncommitted = False
        (self.driver.close if farewell else self.driver.discard)(connection)
        self.become(state)

    def forked(self, connection: Any) -> None:
        """In the child of a fork: the physical connection is the parent's, and so is its transaction.

        Its descriptor leads nowhere by now, so that letting go of it is silent. No ghost: the parent lives.
        """
        self.lock = threading.Lock()
        self.watching = threading.Lock()
        self.owner = 0
        self.sent_at = 0.0
        if self.state is not LinkState.READY and self.state is not LinkState.OPENING:
            return
        bound = bool(self.ledger.journal) or bool(self.pin)
        self.lost_why = "it was opened by the parent process, which goes on with it"
        self.detached(connection, LinkState.LOST if bound else LinkState.DETACHED, ghost=False)

    def readable(self) -> bool:
        """Whether something of a reply has arrived; for the watchdog, while a statement is in flight."""
        return self._peek.look() is not Liveness.ALIVE

    def look(self) -> Liveness:
        """Whether the physical connection is good, without a round trip."""
        return self._peek.look()

    def ending(self) -> Ending:
        """How the physical connection ended, once it was found dead."""
        return self._peek.ending()

    @property
    def outlived(self) -> bool:
        """Whether it has been idle for over 90 % of its own ``wait_timeout``: replaced before it is cut."""
        limit = self.facts.wait_timeout
        return bool(limit) and monotonic() - self.last_used > limit * 0.9

    def leave_pool(self) -> bool:
        """A pool hands it to its next user; whether it is good, asked of the kernel, not of the server."""
        self.replay_off = not self.endpoint.policy.replay
        self.returning = False
        session = self.ledger.session
        # Whoever put the connection back gave up what the session held for it; the next user doesn't know of it.
        if session.pins:
            session.forget_pins()
        # One that was only just opened is not sent back: a pool tries twice, and then gives the checkout up. If it
        # is lost already, its first statement finds out and opens another in its place.
        if session.in_prologue:
            self.ledger.end_prologue()
            return True
        good = self.state is _READY and self._peek.look() is not _DEAD and not self.outlived
        return good or explaining.left_in_pool(self)

    # -- statements ------------------------------------------------------------------------------------

    def pass_down(self, cursor: Any, sql: bytes) -> Any:
        """A statement for a cursor while the link is held: the driver's own and ours, or a second thread's."""
        if self.owner == get_ident():
            return cursor._stillhere_query(sql)  # noqa: SLF001 - ours
        return self.refuse_second_thread()

    def send_by_kind(self, connection: Any, cursor: Any, statement: Statement, sql: bytes) -> Any:
        """Run a statement of any kind for a cursor that holds the link."""
        if not statement.plain and statement.kind in _ENDS:
            return endings.end(self, connection, statement, sql, lambda: cursor._stillhere_query(sql))  # noqa: SLF001
        if self.alone_witnessed and statement.plain and statement.kind is Kind.WRITE:
            return endings.run_alone(self, connection, cursor, statement, sql)
        return self.send(connection, cursor, statement, sql)

    def send(self, connection: Any, cursor: Any, statement: Statement, sql: bytes) -> Any:
        """Run a statement, over as many physical connections as it takes and may, while the link is held."""
        now = monotonic()
        if self.state is not _READY:
            if self.returning:
                return None
            self.prepare(connection, statement)
        elif now - self.last_used > _LOOK_AFTER and self._gone(connection, statement):
            return self._recovery(connection, cursor, statement, sql).run(None, Phase.IDLE)
        if len(sql) > self._packet_limit:
            raise self._too_large(statement, len(sql))
        self.sent_at = now
        try:
            result = cursor._stillhere_query(sql)  # noqa: SLF001 - ours
        except BaseException as error:  # noqa: BLE001 - an interruption counts as well
            self.let_go(now)
            pass_on_unless_lost(self, connection, statement, sql, cursor._stillhere_base, error)  # noqa: SLF001 - ours
            return self._recovery(connection, cursor, statement, sql).run(error, Phase.AWAIT, now)
        self.sent_at = 0.0
        self.last_used = end = monotonic()
        if end - now > self._slow:
            self.let_go(now)
        ledger = self.ledger
        ledger.dirty = True
        if statement.plain and not cursor._stillhere_streaming:  # noqa: SLF001 - ours
            if ledger.recording:
                seen = self._observe(connection, cursor)
                ledger.journal.add(sql, statement, cursor._stillhere_base, seen, 0, now)  # noqa: SLF001 - ours
        else:
            self.account(connection, cursor, statement, sql, now)
        return result

    def _recovery(self, connection: Any, cursor: Any, statement: Statement, sql: bytes) -> Recovery:
        return Recovery(
            self,
            connection,
            Call.STATEMENT,
            statement,
            sql,
            lambda: cursor._stillhere_query(sql),  # noqa: SLF001 - ours
            lambda now: self.account(connection, cursor, statement, sql, now),
        )

    def account(self, connection: Any, cursor: Any, statement: Statement, sql: bytes, now: float) -> None:
        """A statement succeeded: what that does to the transaction and the session."""
        ledger = self.ledger
        ledger.dirty = True
        base = cursor._stillhere_base  # noqa: SLF001 - ours
        self.more_results = statement.kind is Kind.OTHER
        if self.more_results:
            self.results_of = weakref.ref(cursor)
        if cursor._stillhere_streaming and cursor.description is not None:  # noqa: SLF001 - ours
            stream_began(self, cursor)
            if not statement.plain:
                ledger.succeeded(sql, statement, base, None, now)
            if ledger.transactional:
                ledger.journal.spoil("rows of it were streamed, and are not compared", now)
            return
        seen = self._observe(connection, cursor)
        if not statement.plain:
            ledger.succeeded(sql, statement, base, seen, now)
        elif ledger.recording:
            ledger.journal.add(sql, statement, base, seen, 0, now)

    def run_below_cursor(self, connection: Any, statement: Statement, sql: bytes, send: Callable[[], Any]) -> Any:
        """Run a statement for a call on the connection itself, whose rows nobody compares."""
        with self.held():
            if statement.kind in _ENDS:
                return endings.end(self, connection, statement, sql, send)
            return self.send_call(connection, statement, sql, send)

    def send_call(self, connection: Any, statement: Statement, sql: bytes, send: Callable[[], Any]) -> Any:
        """The same, while the link is held."""
        if self.state is not _READY:
            if self.returning:
                return None
            self.prepare(connection, statement)
        elif self._gone(connection, statement):
            return self._call_recovery(connection, statement, sql, send).run(None, Phase.IDLE)
        if len(sql) > self._packet_limit:
            raise self._too_large(statement, len(sql))
        now = self.sent_at = monotonic()
        try:
            result = send()
        except BaseException as error:  # noqa: BLE001 - an interruption counts as well
            self.let_go(now)
            pass_on_unless_lost(self, connection, statement, sql, None, error)
            return self._call_recovery(connection, statement, sql, send).run(error, Phase.AWAIT, now)
        self.last_used = self.let_go(now)
        if sql:
            self.account_call(statement, sql, now)
        return result

    def account_call(self, statement: Statement, sql: bytes, now: float) -> None:
        """A statement below the cursor succeeded; what it read can't be compared later."""
        self.more_results = statement.kind is Kind.OTHER
        self.ledger.succeeded(sql, statement, None, None, now)
        if statement.kind in {Kind.READ, Kind.WRITE} and self.ledger.transactional:
            self.ledger.journal.spoil("a statement of it was run below the cursor, where its result isn't seen", now)

    def _call_recovery(self, connection: Any, statement: Statement, sql: bytes, send: Callable[[], Any]) -> Recovery:
        def account(now: float) -> None:
            if sql:
                self.account_call(statement, sql, now)

        return Recovery(self, connection, Call.STATEMENT, statement, sql, send, account)

    def set_character_set(self, connection: Any, charset: Any, collation: Any, send: Callable[[], Any]) -> None:
        """Change the character set, for the server and for the driver."""
        with self.held():
            if self.ledger.journal:
                self.ledger.journal.spoil("the character set was changed in its middle", monotonic())
            self.send_call(connection, _SET_NAMES, b"", send)
            self.session.accept(Step(charset=(charset, collation) if collation else (charset,)))

    def ping(self, connection: Any, send: Callable[[], Any]) -> None:
        """A sign of life from the server, over a new connection where that is allowed."""
        self.run_below_cursor(connection, _PING, b"", send)

    # -- the rest --------------------------------------------------------------------------------------------

    def close(self, connection: Any, send: Callable[[], Any]) -> None:
        """Close for good. From another thread than the one inside a call: its socket is shut down under it."""
        held = self.lock.acquire(blocking=False)
        try:
            lost = self.state in {LinkState.DETACHED, LinkState.LOST}
            self.state = LinkState.CLOSED
            if held and not lost:
                self.owner = get_ident()
                if self.look() is Liveness.DEAD:
                    self.driver.discard(connection)
                else:
                    send()
            elif held:
                self.driver.discard(connection)
            else:
                # No more than this: what the driver holds is in use by the thread inside, which lets go of it.
                shut_down(self.descriptor)
        finally:
            if held:
                self.owner = 0
                self.lock.release()

    def prepare(self, connection: Any, statement: Statement | None) -> None:
        """Make the connection ready for a statement, or say why it can't be."""
        if self.state is LinkState.LOST:
            message = f"the transaction was lost with its connection: {self.lost_why}. "
            message += "Only ROLLBACK is accepted now; then begin again"
            lost = cast("TransactionLost", self.endpoint.error(TransactionLost, message))
            lost.uncommitted = self.lost_uncommitted
            raise lost
        if self.state is LinkState.CLOSED:
            raise self.driver.dbapi.InterfaceError(0, "the connection was closed by the application")
        reopen(self, connection, statement)

    def _gone(self, connection: Any, statement: Statement) -> bool:
        """Whether the physical connection is dead, or so close to its idle limit that it is replaced first."""
        found = self._peek.look()
        if found is Liveness.DEAD or (found is Liveness.UNKNOWN and self._ping_fails(connection)):
            return True
        bound = bool(self.ledger.journal) or bool(self.pin) or statement.refers_to_last
        return self.outlived and not bound

    def _ping_fails(self, connection: Any) -> bool:
        """Where there is no socket to look at: whether the server gives no sign of life after a long idleness."""
        if monotonic() - self.last_used <= self.endpoint.policy.ping_after:
            return False
        now = self.sent_at = monotonic()
        try:
            self.driver.connection_class.ping(connection)
        except self.driver.dbapi.Error as error:
            if not lost_by(self, error):
                raise
            return True
        finally:
            self.let_go(now)
        return False

    def let_go(self, sent_at: float) -> float:
        """The call has returned; for a slow one only once the watchdog is not about to shut its socket down."""
        self.sent_at = 0.0
        now = monotonic()
        if now - sent_at > self._slow:
            with self.watching:
                pass
        return now

    def held(self, *, nested: bool = False) -> _Held:
        """Hold the link for one call; ``nested``: a call of the thread that holds it already passes through."""
        return _Held(self, nested=nested)

    def _too_large(self, statement: Statement, size: int) -> Exception:
        guarded = too_large(size, self.facts.max_allowed_packet)
        error = self.endpoint.error(type(guarded), guarded.message)
        explaining.not_sent(self, statement.verb, size, error)
        return error

    def refuse_second_thread(self) -> NoReturn:
        """Two threads on one connection: the second one's statement would land in the first one's reply."""
        raise self.endpoint.error(
            ConnectionMisused,
            f"thread {get_ident()} used a connection on which thread {self.owner} is inside a call; "
            "give each thread its own connection (a pool does)",
        )


class _Held:
    """Holds a link for one call; a nested call of the same thread passes through."""

    __slots__ = ("_link", "_nested", "_outer")

    def __init__(self, link: Link, *, nested: bool) -> None:
        self._link = link
        self._nested = nested
        self._outer = False

    def __enter__(self) -> None:
        link = self._link
        if link.lock.acquire(blocking=False):
            link.owner = get_ident()
            self._outer = True
        elif not (self._nested and link.owner == get_ident()):
            link.refuse_second_thread()

    def __exit__(self, *exc_info: object) -> None:
        if self._outer:
            self._link.owner = 0
            self._link.lock.release()
