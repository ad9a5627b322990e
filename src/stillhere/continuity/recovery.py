"""What happens at a loss: find out, decide, act, send again. Everything here is off the hot path."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stillhere import events
from stillhere.continuity import explaining, refusals, replay
from stillhere.continuity.continuation import Action, Call, Decision, Situation, decide
from stillhere.continuity.facts import Facts, restarted_between
from stillhere.continuity.fence import Ghost, is_alive
from stillhere.continuity.losses import lost_by
from stillhere.continuity.refusals import Refused
from stillhere.continuity.sighting import Sighting, of_loss
from stillhere.continuity.statement import Kind, Statement
from stillhere.continuity.states import GONE, LinkState
from stillhere.continuity.verdict import Liveness, Phase, Verdict, verdict
from stillhere.continuity.witness import Settlement, same_server
from stillhere.errors import CallError, ReplayDiverged, ServerUnavailable, StatementOutcomeUnknown, judge

if TYPE_CHECKING:
    from stillhere.continuity.link import Link

__all__ = ["Recovery", "lay_ghosts", "reopen"]

_READ_ONLY_TRANSACTION = 1792
_LOCK_CONFLICTS = frozenset({1205, 1213})
_SAFE_TWICE = frozenset({Kind.SET, Kind.USE, Kind.SET_TRANSACTION, Kind.BEGIN})
_SENDING = frozenset({Action.RESEND, Action.RESEND_READ_ONLY, Action.REPLAY, Action.REPLAY_AND_COMMIT})
_MAX_OPENINGS = 5


@dataclass(slots=True)
class Recovery:
    """One call of the application, while it is being continued.

    Attributes:
        link: whose call it is.
        connection: the logical connection.
        call: a statement, COMMIT or ROLLBACK.
        statement: what it is.
        sql: its bytes; empty where it is not a statement that is recorded.
        resend: does on the new physical connection what the application asked for.
        account: enters its success into the ledger, given the time at which it was sent.
        began: monotonic time at which the loss was found; the one deadline counts from it.
        lost: what was known of the physical connection that was lost last.
        sightings: what was seen of each loss.
        outcome: name of what became of the call, where it goes on.
    """

    link: Link
    connection: Any
    call: Call
    statement: Statement
    sql: bytes
    resend: Callable[[], Any]
    account: Callable[[float], None]
    began: float = field(default_factory=time.monotonic)
    lost: Facts = field(init=False)
    sightings: list[Sighting] = field(default_factory=list)
    outcome: str = ""
    _continuations: int = 0
    _verdict: Verdict = Verdict.NOT_SENT
    _condemned: bool = False

    def __post_init__(self) -> None:
        self.lost = self.link.facts

    @property
    def deadline(self) -> float:
        """Until when the server is waited for."""
        return self.began + self.link.endpoint.policy.ride_through

    def run(self, error: BaseException | None, phase: Phase, sent_at: float = 0.0) -> Any:
        """Continue the call, over as many connections as the table allows.

        Args:
            error: what the driver raised; None where the socket was found dead before sending.
            phase: what the connection was doing.
            sent_at: monotonic time at which the call was sent; 0 when it was not.

        Returns:
            What the call returns when nothing is lost; None where it was settled without sending it again.
        """
        try:
            result = self._run(error, phase, sent_at)
        except BaseException as raised:
            seconds = time.monotonic() - self.began
            if self.outcome:  # the server's own answer, which it would have given without any loss
                explaining.continued(self.link, self.sightings, self.outcome, seconds)
            else:
                explaining.refused(self.link, self.sightings, raised, seconds)
            raise
        explaining.continued(self.link, self.sightings, self.outcome, time.monotonic() - self.began)
        return result

    def _run(self, error: BaseException | None, phase: Phase, sent_at: float) -> Any:
        while True:
            situation, loss = self._take_in(error, phase, sent_at)
            if self.link.returning:
                self.link.ledger.ended()
                self.outcome = "RETURNED"
                return None
            decision = decide(situation)
            settling = decision.action is Action.SETTLE
            try:
                if settling:
                    situation, decision = self._ask_witness(situation)
                if decision.action in _SENDING:
                    decision = self._inspect(situation, decision, sent_at)
                if decision.action in _SENDING:
                    replaying = decision.action in {Action.REPLAY, Action.REPLAY_AND_COMMIT}
                    self._restore(self.statement, replaying=replaying)
                    sent_at = time.monotonic()
                    result = self._send(read_only=decision.action is Action.RESEND_READ_ONLY)
                else:
                    self._settle(decision.action)
                    result = None
            except Refused as refusal:
                decision = Decision(Action.REFUSE, str(refusal))
            except BaseException as again:
                if self.link.state is LinkState.READY and lost_by(self.link, again):
                    error, phase = again, self._phase()
                    self._continuations += 1
                    self.link.ledger.continuations += 1
                    continue
                self._give_up(situation, again, loss)
                raise
            if decision.action in refusals.ENDINGS:
                refusals.refuse(self.link, self.connection, situation, decision, error, loss)
            self.link.ledger.continuations += bool(self.link.ledger.journal)
            seconds = time.monotonic() - self.began
            action = Action.SETTLE if settling else decision.action
            self.outcome = action.name
            events.emit(events.Recovery(loss=loss, action=action.name, seconds=seconds))
            return result

    def _phase(self) -> Phase:
        """What was being sent when the call was sent again."""
        if self.call is not Call.COMMIT:
            return Phase.AWAIT
        return Phase.COMMIT if self.link.end_sent else Phase.IDLE

    def _ask_witness(self, situation: Situation) -> tuple[Situation, Decision]:
        """Settle an ambiguous COMMIT, over connections of its own, until the deadline.

        Returns:
            The situation as it is known now, and what follows from it.
        """
        link, endpoint, token = self.link, self.link.endpoint, self.link.token
        settlement = Settlement.UNKNOWN
        while endpoint.witness is not None and token is not None:
            try:
                side, facts = endpoint.open(link.chain, None, self.deadline)
            except endpoint.driver.dbapi.Error:
                break  # whatever keeps the server from being asked: what it would answer stays unknown
            try:
                same = same_server(self.lost, facts) or endpoint.policy.synchronous_replication
                endpoint.lay_ghosts(side, facts, self.deadline)
                link.driver.fetch(side, b"SET autocommit=1")
                settlement = endpoint.witness.settle(link.driver, side, token, same_server=same, deadline=self.deadline)
            except link.driver.dbapi.Error as error:
                if lost_by(link, error) and time.monotonic() < self.deadline:
                    continue
            finally:
                link.driver.close(side)
            break
        if settlement is Settlement.COMMITTED:
            return situation, Decision(Action.SUCCEED)
        if settlement is Settlement.UNKNOWN:
            return situation, Decision(Action.COMMIT_UNKNOWN, "the witness could not settle it")
        situation = dataclasses.replace(situation, verdict=Verdict.NOT_SENT)
        return situation, decide(situation)

    def _settle(self, action: Action) -> None:
        """What needs nothing sent again."""
        if action is Action.SETTLE:
            raise refusals.commit_unknown(self.link, "the witness was not asked")  # never to be taken for success
        if action is Action.CONFIRM_READS:
            self._restore(None, replaying=False)
            if not replay.confirm_reads(self.link, self.connection):
                raise refusals.commit_unknown(self.link, "the server says that one of its reads writes")
        if action in {Action.SUCCEED, Action.CONFIRM_READS}:
            self.link.ledger.ended()

    # -- finding out -------------------------------------------------------------------------------------

    def _take_in(self, error: BaseException | None, phase: Phase, sent_at: float) -> tuple[Situation, events.Loss]:
        """Judge the loss, gather what decides, and let go of the physical connection."""
        link, statement, now = self.link, self.statement, time.monotonic()
        ledger, policy, driver = link.ledger, link.endpoint.policy, link.driver
        code = driver.errno(error) if error is not None else 0
        if error is not None:
            judge(error, uncommitted=False)
        self.lost = link.facts
        before = self._verdict
        self._condemned = bool(link.condemned) and link.condemned != GONE
        self._verdict = verdict(
            driver.traits,
            phase,
            code if error is not None else None,
            flavour=self.lost.flavour,
            liveness=Liveness.DEAD if error is None else Liveness.UNKNOWN,
            replied=code > 0 and code not in range(2000, 3000),
            atomic=statement.replayable,
            bulk_upload=statement.kind is Kind.OTHER,
        )
        if self.call is Call.STATEMENT and before is Verdict.MAYBE_EXECUTED:
            # That it wasn't sent on this connection takes nothing back of what it may have done on the one before.
            self._verdict = before
        limit = driver.read_timeout(self.connection._stillhere_kwargs)  # noqa: SLF001 - ours
        timed_out = (
            error is not None
            and not link.condemned
            and driver.is_read_timeout(error, now - sent_at if sent_at else 0.0, limit)
        )
        begun = bool(ledger.journal)
        loss = events.Loss(
            server=link.endpoint.name,
            thread_id=self.lost.thread_id,
            phase=phase.name,
            verdict=self._verdict.name,
            errno=code,
            statement=statement.verb,
            idle=round((sent_at or now) - link.last_used, 3),
            age=round(now - link.opened_at, 3),
            in_transaction=begun,
            wait_timeout=self.lost.wait_timeout,
        )
        events.emit(loss)
        situation = Situation(
            call=self.call,
            verdict=self._verdict,
            kind=statement.kind,
            may_commit=statement.may_commit or statement.chain_or_release,
            replayable=statement.replayable,
            plain_session=statement.kind in _SAFE_TWICE and statement.replayable and not statement.pin,
            refers_to_last=statement.refers_to_last and not ledger.journal.entries,
            transactional=ledger.transactional,
            begun=begun,
            writes=ledger.journal.writes,
            spoiled=ledger.journal.spoiled,
            pin=link.pin,
            locks_expired=ledger.journal.locks and now - link.last_used > policy.replay_locks_within,
            client_timeout=timed_out,
            veto=(policy.stricter(loss) or "") if policy.stricter is not None else "",
            replay_off=link.replay_off,
            witness=link.token is not None,
            statement_continuations=self._continuations,
            transaction_continuations=ledger.continuations,
        )
        self.sightings.append(
            of_loss(link, loss, error, sent_at=sent_at, size=len(self.sql), timed_out=timed_out, read_timeout=limit)
        )
        in_flight = self._verdict is Verdict.MAYBE_EXECUTED
        # Without an error and with nothing to read it is good still, and near its idle limit.
        good = error is None and link.look() is Liveness.ALIVE
        self.sightings[-1].proactive = good
        link.detached(self.connection, LinkState.DETACHED, ghost=begun or in_flight, farewell=good)
        return situation, loss

    def _inspect(self, situation: Situation, decision: Decision, sent_at: float) -> Decision:
        """Before anything is sent again: was it ended on purpose, or did it end the server?"""
        link, policy = self.link, self.link.endpoint.policy
        now = time.monotonic()
        in_flight = situation.verdict is Verdict.MAYBE_EXECUTED and self.call is Call.STATEMENT
        long_statement = in_flight and bool(sent_at) and self.began - sent_at > policy.obey_kill_after
        journal = link.ledger.journal
        long_transaction = situation.begun and bool(journal.began) and now - journal.began > policy.obey_kill_after
        if not (in_flight or long_transaction):
            return decision
        self._open()
        restarted = restarted_between(self.lost, link.facts)
        # Where the watchdog shut the socket down, the thread is gone by our doing.
        gone = (
            restarted is False and not self._condemned and not is_alive(link.driver, self.connection, Ghost(self.lost))
        )
        poison = in_flight and restarted is True and link.endpoint.suspect(self.sql)
        return decide(
            dataclasses.replace(
                situation,
                poison=poison,
                statement_killed=long_statement and gone,
                transaction_killed=long_transaction and gone,
            )
        )

    # -- acting ------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self.link.state is LinkState.READY:
            return
        self.link.become(LinkState.OPENING)
        try:
            _, facts = self.link.endpoint.open(self.link.chain, self.connection, self.deadline)
        except BaseException:
            self.link.become(LinkState.DETACHED)
            raise
        self.link.attached(self.connection, facts)

    def _restore(self, following: Statement | None, *, replaying: bool) -> None:
        """Bring a new physical connection to where the lost one was; lost ones meanwhile are replaced in turn."""
        link, driver = self.link, self.link.driver
        openings = 0
        while True:
            openings += 1
            self._open()
            try:
                prove = self._is_impatient(following, replaying=replaying)
                released = link.endpoint.lay_ghosts(self.connection, link.facts, self.deadline, prove=prove)
                if prove and not released:
                    raise Refused(
                        "a NOWAIT or SKIP LOCKED statement would meet the locks that the lost connection may still hold"
                    )
                if replaying or self._verdict is Verdict.MAYBE_EXECUTED:
                    self._check_replayable(following, replaying=replaying)
                link.session.restore(driver, self.connection)
                if replaying:
                    replay.run(link, self.connection)
                link.last_used = time.monotonic()
            except driver.dbapi.Error as error:
                conflict = replaying and driver.errno(error) in _LOCK_CONFLICTS
                again = lost_by(link, error) or conflict
                link.detached(self.connection, LinkState.DETACHED, ghost=replaying)
                if not again or openings >= _MAX_OPENINGS or time.monotonic() >= self.deadline:
                    if conflict:
                        error.add_note(f"{refusals.NOTE}while the transaction was being run again after a loss")
                    elif again:
                        raise refusals.lost_again(link, openings) from error
                    raise
            else:
                return

    def _is_impatient(self, following: Statement | None, *, replaying: bool) -> bool:
        """Whether a statement that is run again, or the one that follows, goes on without locks that are held."""
        if following is not None and following.nowait:
            return True
        return replaying and any(entry.statement.nowait for entry in self.link.ledger.journal.entries)

    def _check_replayable(self, following: Statement | None, *, replaying: bool) -> None:
        """Refuse where running again could not be told from doing twice, or from doing something else."""
        link = self.link
        statements = [entry.statement for entry in link.ledger.journal.entries] if replaying else []
        if following is not None:
            if following.kind is Kind.READ and not replaying and not link.ledger.transactional:
                return  # it is run in a READ ONLY transaction, where the server refuses what writes
            statements.append(following)
        if replaying and not link.endpoint.policy.synchronous_replication:
            identity = self.lost.identity
            if not identity or identity != link.facts.identity:
                raise Refused("another server answers at the address, which may lack what was acknowledged")
        replay.check_tables(link, self.connection, statements)

    def _send(self, *, read_only: bool) -> Any:
        """Send the call on the restored connection.

        A SELECT may write, through a view or a stored function. Where the server runs it in a READ ONLY
        transaction it doesn't, and running it twice is running it once.
        """
        link, driver = self.link, self.link.driver
        if read_only:
            driver.fetch(self.connection, b"START TRANSACTION READ ONLY")
        now = link.sent_at = time.monotonic()
        try:
            result = self.resend()
        except driver.dbapi.Error as error:
            if read_only and not lost_by(link, error):
                driver.fetch(self.connection, b"ROLLBACK")
                if driver.errno(error) == _READ_ONLY_TRANSACTION:
                    raise link.endpoint.error(
                        StatementOutcomeUnknown,
                        "the reply to a SELECT was lost, and the server says that it writes: it may have taken effect",
                    ) from error
            raise
        finally:
            link.let_go(now)
        link.last_used = time.monotonic()
        self.account(now)
        if read_only:
            driver.fetch(self.connection, b"COMMIT")
        return result

    def _give_up(self, situation: Situation, error: BaseException, loss: events.Loss) -> None:
        """Continuing failed for another reason than a loss: leave the connection in a state that says so."""
        link = self.link
        if link.state is LinkState.READY and isinstance(error, link.driver.dbapi.Error) and link.driver.errno(error):
            # The server answered the call itself with an error, as it might have without any loss.
            if not isinstance(error, CallError):
                self.outcome = "ANSWERED"
                link.ledger.failed(
                    self.sql,
                    self.statement,
                    None,
                    link.driver.errno(error),
                    link.facts.flavour,
                    time.monotonic(),
                )
            return
        if link.state is LinkState.READY and isinstance(error, StatementOutcomeUnknown):
            return
        bound = situation.begun or bool(situation.pin)
        why = f"{type(error).__name__} while it was being continued"
        uncommitted = bound and not situation.open_end and isinstance(error, ReplayDiverged | ServerUnavailable)
        if isinstance(error, ServerUnavailable):
            error.uncommitted = not situation.open_end
        refusals.lose(link, self.connection, why, bound=bound, uncommitted=uncommitted)
        events.emit(events.Refusal(loss=loss, error=type(error).__name__, reason=str(error)))


def reopen(link: Link, connection: Any, statement: Statement | None) -> None:
    """Open a physical connection for a detached logical one, on which no transaction was lost."""
    if statement is not None and statement.refers_to_last:
        refusals.refuse_reference(link)
    recovery = Recovery(link, connection, Call.STATEMENT, _ANYTHING, b"", _nothing, _nothing)
    recovery._restore(None, replaying=False)  # noqa: SLF001 - the same module


def lay_ghosts(link: Link, connection: Any) -> bool:
    """Before the application takes a connection: be rid of what lost ones left behind; False where this one is lost.

    A transaction that the application gave up, or whose outcome it was told is unknown, is nobody's to continue. On
    the server it may go on holding its locks, and whoever comes next would wait for them.
    """
    if not link.endpoint.haunted:
        return True
    deadline = time.monotonic() + link.endpoint.policy.ride_through
    try:
        link.endpoint.lay_ghosts(connection, link.facts, deadline)
        if not link.autocommit:
            link.driver.fetch(connection, b"ROLLBACK")  # the questions may have begun a transaction
    except link.driver.dbapi.Error as error:
        if not lost_by(link, error):
            raise
        link.detached(connection, LinkState.DETACHED, ghost=False)
        return False
    return True


def _nothing(*_: Any) -> None:
    """Nothing to send, nothing to account."""


_ANYTHING = Statement(kind=Kind.READ, verb="SELECT")
