"""What may be continued after a loss: one table, one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from stillhere.continuity.statement import Kind
from stillhere.continuity.verdict import Verdict

__all__ = ["MAX_PER_STATEMENT", "MAX_PER_TRANSACTION", "Action", "Call", "Decision", "Situation", "decide"]

MAX_PER_STATEMENT = 2
MAX_PER_TRANSACTION = 3


class Call(Enum):
    """What the application was doing when the loss was found."""

    STATEMENT = "a statement"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"
    STREAM = "reading rows that the server still holds"


class Action(Enum):
    """What happens now. Those up to SETTLE continue; the others end in an error of that name."""

    RESEND = "open a new connection and run the statement on it"
    RESEND_READ_ONLY = (
        "run the read again inside a read-only transaction, so that the server confirms that it only reads"
    )
    REPLAY = "run the transaction again on a new connection, compare, then run the statement"
    REPLAY_AND_COMMIT = "run the transaction again, compare, and commit"
    CONFIRM_READS = "have the server confirm that the transaction only read, then report success"
    SUCCEED = "report success: nothing was left to do"
    SETTLE = "ask the witness whether the transaction was committed"
    COMMIT_UNKNOWN = "CommitOutcomeUnknown"
    STATEMENT_UNKNOWN = "StatementOutcomeUnknown"
    STREAM_INTERRUPTED = "StreamInterrupted"
    STATEMENT_KILLED = "StatementKilled"
    TRANSACTION_KILLED = "TransactionKilled"
    TIMEOUT = "StatementTimeout"
    POISON = "PoisonStatement"
    REFUSE = "the driver's own error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that decides, gathered before deciding.

    Attributes:
        call: what was being done.
        verdict: whether the server can have executed it.
        kind: of the statement; for COMMIT and ROLLBACK their own kinds.
        may_commit: the statement may commit implicitly.
        replayable: the statement is on the whitelist.
        plain_session: it only sets session state to a literal, or begins a transaction: doing it twice is the same.
        refers_to_last: it asks about the statement before it, and that one is not in the journal.
        transactional: a transaction is open or would be opened by the statement (autocommit off, or BEGIN).
        begun: the open transaction has done something.
        writes: it has written.
        spoiled: why it can't be replayed; empty when it can.
        pin: session state that can't be restored; empty for none.
        locks_expired: it holds row locks taken by reading, and the loss is older than
            ``Policy.replay_locks_within``.
        client_timeout: the client itself stopped waiting.
        statement_killed: it ran long, its thread is gone and the server stayed up.
        transaction_killed: the same of the transaction.
        poison: it was in flight at two crashes.
        veto: why the policy's hook refuses; empty for no objection.
        replay_off: replay is switched off.
        witness: the transaction left a witness.
        statement_continuations: how often this statement has been continued already.
        transaction_continuations: how often this transaction has been.
    """

    call: Call
    verdict: Verdict
    kind: Kind
    may_commit: bool = False
    replayable: bool = True
    plain_session: bool = False
    refers_to_last: bool = False
    transactional: bool = False
    begun: bool = False
    writes: bool = False
    spoiled: str = ""
    pin: str = ""
    locks_expired: bool = False
    client_timeout: bool = False
    statement_killed: bool = False
    transaction_killed: bool = False
    poison: bool = False
    veto: str = ""
    replay_off: bool = False
    witness: bool = False
    statement_continuations: int = 0
    transaction_continuations: int = 0

    @property
    def open_end(self) -> bool:
        """Whether the call, if the server has executed it, may have committed: even a plain SELECT may write."""
        ends = self.call is Call.COMMIT or self.may_commit or not (self.begun or self.transactional)
        return self.verdict is Verdict.MAYBE_EXECUTED and ends


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, and for a refusal its reason in words that fit "not continued: …"."""

    action: Action
    reason: str = ""


def decide(s: Situation) -> Decision:
    """The continuation table.

    An application can't tell the lost transaction T from a T' run wholly after the loss if nothing of T
    escaped it, the comparison covers all that was observed, the bytes and the session are the same, the
    server has everything that was acknowledged, and nobody acted on T's uncommitted existence. Each
    refusal guards one of the five.
    """
    if s.client_timeout:
        return Decision(Action.TIMEOUT)
    if s.call is Call.ROLLBACK:
        return Decision(Action.SUCCEED)
    if s.call is Call.STREAM:
        return Decision(Action.STREAM_INTERRUPTED)
    if s.call is Call.COMMIT:
        return _decide_commit(s)
    if s.begun:
        return _decide_in_transaction(s)
    return _decide_first(s)


def _decide_commit(s: Situation) -> Decision:
    ambiguous = s.verdict is Verdict.MAYBE_EXECUTED
    if not s.begun:
        return _refusal(s, "") or Decision(Action.SUCCEED)
    if ambiguous and (s.writes or s.spoiled):
        return Decision(Action.SETTLE if s.witness else Action.COMMIT_UNKNOWN)
    refused = _refusal(s, s.spoiled)
    if refused is not None:
        return refused
    if not s.writes:
        return _limits(s) or Decision(Action.CONFIRM_READS)  # a KILL of it, too, has nothing left to stop
    return _killed(s) or _replay_refusal(s) or Decision(Action.REPLAY_AND_COMMIT)


def _decide_in_transaction(s: Situation) -> Decision:
    if s.verdict is Verdict.MAYBE_EXECUTED and s.may_commit:
        if s.writes or s.spoiled:
            return Decision(Action.COMMIT_UNKNOWN)
        if not s.plain_session:
            return Decision(Action.STATEMENT_UNKNOWN)
    elif s.verdict is Verdict.MAYBE_EXECUTED and not (s.replayable or s.plain_session):
        return Decision(Action.STATEMENT_UNKNOWN)
    refused = _refusal(s, s.spoiled) or _killed(s) or _replay_refusal(s)
    return refused or Decision(Action.REPLAY)


def _decide_first(s: Situation) -> Decision:
    """Idle, autocommitted, or the first statement of its transaction."""
    maybe = s.verdict is Verdict.MAYBE_EXECUTED
    alone = not s.transactional
    harmless = s.plain_session or s.kind is Kind.READ
    if maybe and not harmless and (alone or s.may_commit or not s.replayable):
        return Decision(Action.STATEMENT_UNKNOWN)
    refused = _refusal(s, "") or (_killed(s) if maybe else None) or _limits(s)
    if refused is not None:
        return refused
    if maybe and alone and s.kind is Kind.READ:
        return Decision(Action.RESEND_READ_ONLY)
    return Decision(Action.RESEND)


def _refusal(s: Situation, spoiled: str) -> Decision | None:
    if s.pin:
        return Decision(Action.REFUSE, f"the session holds {s.pin}, which a new connection can't have")
    if spoiled:
        return Decision(Action.REFUSE, f"the transaction can't be replayed: {spoiled}")
    if s.veto:
        return Decision(Action.REFUSE, s.veto)
    if s.refers_to_last:
        return Decision(
            Action.REFUSE, "the statement asks about the one before it, which is not part of this transaction"
        )
    return None


def _killed(s: Situation) -> Decision | None:
    if s.poison:
        return Decision(Action.POISON)
    if s.statement_killed:
        return Decision(Action.STATEMENT_KILLED)
    return Decision(Action.TRANSACTION_KILLED) if s.transaction_killed else None


def _replay_refusal(s: Situation) -> Decision | None:
    if s.replay_off:
        return Decision(Action.REFUSE, "the transaction had begun, and replay is switched off")
    if s.locks_expired:
        return Decision(
            Action.REFUSE,
            "it held row locks taken by reading for longer after the loss than replay_locks_within",
        )
    return _limits(s)


def _limits(s: Situation) -> Decision | None:
    if s.statement_continuations >= MAX_PER_STATEMENT:
        return Decision(Action.REFUSE, f"the statement was continued {s.statement_continuations} times already")
    if s.transaction_continuations >= MAX_PER_TRANSACTION:
        return Decision(Action.REFUSE, f"the transaction was continued {s.transaction_continuations} times already")
    return None
