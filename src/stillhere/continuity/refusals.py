"""How a loss that is not continued is told: the error, its words, and the state that it leaves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

from stillhere import events
from stillhere.continuity.continuation import Action, Decision, Situation
from stillhere.continuity.states import LinkState
from stillhere.continuity.telling import NOT_CONTINUED, NOTE
from stillhere.errors import (
    CallError,
    CommitOutcomeUnknown,
    PoisonStatement,
    ServerUnavailable,
    StatementKilled,
    StatementOutcomeUnknown,
    StatementTimeout,
    StreamInterrupted,
    TransactionKilled,
    judge,
)

if TYPE_CHECKING:
    from stillhere.continuity.link import Link

__all__ = [
    "ENDINGS", "NOTE", "Refused", "commit_unknown", "lose", "lost_again", "refuse",
    "refuse_reference", "stream_interrupted",
]  # fmt: skip

_GONE_AWAY = 2006

_ERRORS: dict[Action, type[CallError]] = {
    Action.COMMIT_UNKNOWN: CommitOutcomeUnknown,
    Action.STATEMENT_UNKNOWN: StatementOutcomeUnknown,
    Action.STREAM_INTERRUPTED: StreamInterrupted,
    Action.STATEMENT_KILLED: StatementKilled,
    Action.TRANSACTION_KILLED: TransactionKilled,
    Action.TIMEOUT: StatementTimeout,
    Action.POISON: PoisonStatement,
}
#: The decisions that end in an error.
ENDINGS = frozenset({*_ERRORS, Action.REFUSE})

_WORDS: dict[Action, str] = {
    Action.COMMIT_UNKNOWN: "the connection was lost after COMMIT was sent and before its reply: the transaction may "
    "or may not have been committed. Look for what it wrote before doing it again",
    Action.STATEMENT_UNKNOWN: "the connection was lost after the {verb} was sent and before its reply, outside a "
    "transaction: it may or may not have taken effect. Look before doing it again",
    Action.STREAM_INTERRUPTED: "the connection was lost while rows were still being read from the server; those read "
    "so far are good, the others have to be asked for again",
    Action.STATEMENT_KILLED: "the {verb} ran longer than obey_kill_after and ended with its connection while the "
    "server stayed up{kills}: probably ended on purpose, so it was not sent again",
    Action.TRANSACTION_KILLED: "a transaction open for longer than obey_kill_after ended with its connection while the "
    "server stayed up{kills}: probably ended on purpose or by an idle-transaction limit, so it was not run again",
    Action.TIMEOUT: "the client's own read timeout passed before the reply to the {verb}; the server may still be "
    "working on it, so it was not sent again. Raise read_timeout or make the statement faster",
    Action.POISON: "the {verb} was in flight at two crashes of the server and is suspected of causing "
    "them; it is not sent again",
}


class Refused(Exception):
    """Found out while continuing: it may not be; the argument is the reason."""


def refuse(
    link: Link,
    connection: Any,
    situation: Situation,
    decision: Decision,
    error: BaseException | None,
    loss: events.Loss,
) -> NoReturn:
    """Raise what the decision says, and leave the connection in the state that goes with it."""
    kind = _ERRORS.get(decision.action)
    why = decision.reason or f"it ended in {decision.action.value}"
    # Refused with a transaction open: the server rolls it back. An ambiguous COMMIT has an error of its own, and
    # one that was open for long may have been ended on purpose.
    age = time.monotonic() - link.ledger.journal.began
    in_time = age <= link.endpoint.policy.obey_kill_after
    uncommitted = kind is None and situation.begun and in_time and not situation.open_end
    bound = situation.begun or bool(situation.pin) or situation.transactional
    lose(link, connection, why, bound=bound, uncommitted=uncommitted)
    events.emit(events.Refusal(loss=loss, error=decision.action.value, reason=decision.reason))
    if kind is None:
        own = _own_error(link, decision.reason, error)
        judge(own, uncommitted=uncommitted)
        raise own
    words = _WORDS[decision.action].format(verb=loss.statement, kills=_kills(link))
    if decision.reason:
        words += f" ({decision.reason})"
    raise link.endpoint.error(kind, words) from error


def lose(link: Link, connection: Any, why: str, *, bound: bool, uncommitted: bool) -> None:
    """The call is not continued.

    Args:
        link: the logical connection's.
        connection: the logical connection.
        why: in words that fit "the transaction was lost: …".
        bound: with it goes a transaction or a pin that the application relies on.
        uncommitted: it is known that nothing of the transaction was committed.
    """
    state = LinkState.LOST if bound else LinkState.DETACHED
    link.lost_why = why
    if link.state is LinkState.READY:
        link.detached(connection, state, ghost=False)
    else:
        link.become(state)
    link.lost_uncommitted = uncommitted


def refuse_reference(link: Link) -> NoReturn:
    """A statement asks about the one before it, which ran on a connection that is gone."""
    raise _own_error(link, "it asks about the statement before it, which ran on a connection that is gone", None)


def commit_unknown(link: Link, why: str) -> CallError:
    """The COMMIT's reply was lost and can't be settled."""
    return link.endpoint.error(CommitOutcomeUnknown, f"{_WORDS[Action.COMMIT_UNKNOWN]} ({why})")


def lost_again(link: Link, times: int) -> CallError:
    """Each new connection was lost before it stood where the old one had."""
    message = f"{link.endpoint.name} was reached {times} times, and lost each time before the session was restored. "
    return link.endpoint.error(ServerUnavailable, message + "Nothing was committed by this call")


def stream_interrupted(link: Link) -> CallError:
    """Rows were still being read."""
    return link.endpoint.error(StreamInterrupted, _WORDS[Action.STREAM_INTERRUPTED])


def _own_error(link: Link, reason: str, error: BaseException | None) -> BaseException:
    """The driver's own error; made where the loss was found by looking, before the driver met it."""
    if error is None:
        error = link.driver.dbapi.OperationalError(_GONE_AWAY, "MySQL server has gone away")
    error.add_note(f"{NOT_CONTINUED}{reason}")
    return error


def _kills(link: Link) -> str:
    """What the server's own counter says about KILL since the lost connection was opened, without the fence's."""
    now, before = link.facts, link.previous_facts
    if now.kills < 0 or before.kills < 0 or now.identity != before.identity:
        return ""
    kills = (now.kills - now.own_kills) - (before.kills - before.own_kills)
    return f" (KILL was used {kills} times on it meanwhile)" if kills > 0 else ""
