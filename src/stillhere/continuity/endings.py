"""The end of a transaction: COMMIT, with its witness where there is one, and ROLLBACK."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from stillhere.continuity.continuation import Call
from stillhere.continuity.losses import lost_by, pass_on_unless_lost
from stillhere.continuity.recovery import Recovery
from stillhere.continuity.session import Step
from stillhere.continuity.statement import Kind, Statement, classify
from stillhere.continuity.states import LinkState
from stillhere.continuity.verdict import Liveness, Phase
from stillhere.errors import CommitOutcomeUnknown, StatementOutcomeUnknown
from stillhere.server.errorcodes import rolled_back

if TYPE_CHECKING:
    from stillhere.continuity.link import Link
    from stillhere.continuity.witness import Token, Witness

__all__ = ["commit", "end", "rollback", "run_alone"]

_logger = logging.getLogger("stillhere")
_BEGIN = classify(b"BEGIN")
_COMMIT = classify(b"COMMIT")
_ROLLBACK = classify(b"ROLLBACK")
# A member of an enum is looked up by way of its metaclass each time; a global isn't.
_READY, _DEAD, _IS_ROLLBACK = LinkState.READY, Liveness.DEAD, Kind.ROLLBACK


def commit(link: Link, connection: Any, send: Callable[[], Any]) -> None:
    """COMMIT by the PEP 249 method."""
    if not link.lock.acquire(False):  # noqa: FBT003 - by keyword it costs a third more
        link.refuse_second_thread()
    link.owner = get_ident()
    try:
        end(link, connection, _COMMIT, b"COMMIT", send)
    finally:
        link.owner = 0
        link.lock.release()


def rollback(link: Link, connection: Any) -> None:
    """ROLLBACK by the PEP 249 method; not sent when nothing was executed since the last one."""
    ledger = link.ledger
    # What was executed is dirty, save for the transaction that AND CHAIN began, whose journal is spoiled.
    if link.state is _READY and not link.owner and not ledger.dirty and not ledger.journal.spoiled:
        return
    if not link.lock.acquire(False):  # noqa: FBT003 - by keyword it costs a third more
        link.refuse_second_thread()
    link.owner = get_ident()
    try:
        end(link, connection, _ROLLBACK, b"ROLLBACK", lambda: connection._stillhere_base.rollback(connection))  # noqa: SLF001 - ours
    finally:
        link.owner = 0
        link.lock.release()


def end(link: Link, connection: Any, statement: Statement, sql: bytes, send: Callable[[], Any]) -> Any:
    """End the transaction by a statement of kind COMMIT or ROLLBACK, while the link is held."""
    rolling_back = statement.kind is _IS_ROLLBACK
    if link.state is not _READY:
        if link.state is LinkState.CLOSED:
            return send()
        if rolling_back or link.state is not LinkState.LOST:
            _forget(link)
            return None
        link.prepare(connection, statement)
    link.token = None
    if not rolling_back:
        witness = link.endpoint.witness
        if witness is not None:
            send = _witnessed(link, connection, witness, send)
        # What is readable before COMMIT proves that it was not executed; for ROLLBACK there is nothing to prove.
        if link.look() is _DEAD:
            return _recovery(link, connection, statement, sql, send).run(None, Phase.IDLE)
    link.end_sent = True
    now = link.sent_at = monotonic()
    try:
        result = send()
    except BaseException as error:  # noqa: BLE001 - an interruption counts as well
        link.let_go(now)
        pass_on_unless_lost(link, connection, statement, sql, None, error)
        phase = Phase.COMMIT if link.end_sent else Phase.IDLE
        return _recovery(link, connection, statement, sql, send).run(error, phase, now)
    link.last_used = link.let_go(now)
    if rolling_back and not statement.chain_or_release:
        link.ledger.ended()
    else:
        _ended(link, statement, sql)
    return result


def run_alone(link: Link, connection: Any, cursor: Any, statement: Statement, sql: bytes) -> Any:
    """Run an autocommitted write as a transaction of its own, so that the witness can settle it.

    Raises:
        StatementOutcomeUnknown: even the witness could not.
    """
    if link.ledger.transactional or link.ledger.session.in_prologue:
        return link.send(connection, cursor, statement, sql)
    driver = link.driver
    link.send_call(connection, _BEGIN, b"BEGIN", lambda: driver.fetch(connection, b"BEGIN"))
    try:
        result = link.send(connection, cursor, statement, sql)
        end(link, connection, _COMMIT, b"COMMIT", lambda: driver.fetch(connection, b"COMMIT"))
    except BaseException as error:
        end(link, connection, _ROLLBACK, b"ROLLBACK", lambda: driver.fetch(connection, b"ROLLBACK"))
        if isinstance(error, CommitOutcomeUnknown):
            raise link.endpoint.error(StatementOutcomeUnknown, error.message) from error
        raise
    return result


def _witnessed(link: Link, connection: Any, witness: Witness, send: Callable[[], Any]) -> Callable[[], Any]:
    """A COMMIT that leaves a fresh token first, each time that it is sent, if the transaction may have written."""

    def leave_and_send() -> Any:
        link.token, link.end_sent = None, False
        journal = link.ledger.journal
        if journal.writes or (journal.spoiled and link.ledger.transactional):
            link.token = _leave_token(link, connection, witness)
        link.end_sent = True
        return send()

    return leave_and_send


def _leave_token(link: Link, connection: Any, witness: Witness) -> Token | None:
    """The token, in the open transaction; None where the server refuses it, so that a lost COMMIT stays unknown."""
    try:
        return witness.leave(link.driver, connection)
    except link.driver.dbapi.Error as error:
        code = link.driver.errno(error)
        if lost_by(link, error) or rolled_back(code, link.facts.flavour):
            raise
        _logger.warning("stillhere.witness_refused server=%s errno=%d", link.endpoint.name, code)
        return None


def _recovery(link: Link, connection: Any, statement: Statement, sql: bytes, send: Callable[[], Any]) -> Recovery:
    call = Call.ROLLBACK if statement.kind is _IS_ROLLBACK else Call.COMMIT
    return Recovery(link, connection, call, statement, sql, send, lambda _: _ended(link, statement, sql))


def _ended(link: Link, statement: Statement, sql: bytes) -> None:
    """COMMIT or ROLLBACK succeeded."""
    if link.session.in_prologue and statement.kind is Kind.COMMIT and link.ledger.dirty:
        link.session.accept(Step(sql))
    link.ledger.ended(chained=statement.chain_or_release)


def _forget(link: Link) -> None:
    """Nothing of the transaction is left on any server; the application may go on."""
    link.ledger.ended()
    if link.state is LinkState.LOST:
        link.session.forget_pins()
        link.lost_why = ""
        link.become(LinkState.DETACHED)
