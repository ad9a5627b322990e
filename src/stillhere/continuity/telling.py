"""The cause of a loss in words: a note on an exception, a record in the log, an event."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stillhere import events
from stillhere.causes import UNKNOWN, Explanation, explain
from stillhere.continuity.observed import knowledge_of, observations
from stillhere.continuity.verdict import Phase
from stillhere.findings import Evidence
from stillhere.masking import mask_sql

if TYPE_CHECKING:
    from stillhere.continuity.dossier import Answers
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.sighting import Sighting

__all__ = ["CONTINUED", "NOTE", "NOT_CONTINUED", "annotate", "explained", "refusal", "tell"]

_logger = logging.getLogger("stillhere")

NOTE = "stillhere: "
"""Every note that stillhere adds to an exception begins so."""

NOT_CONTINUED = f"{NOTE}not continued: "
"""So begins the note that names the reason why a loss was not continued."""

_REPLACED = "Replaced; nothing lost"
CONTINUED = {
    "RESEND": _REPLACED,
    "RESEND_READ_ONLY": "Replaced, and the read run again; nothing lost",
    "REPLAY": "Replaced, and the transaction run again; nothing lost",
    "REPLAY_AND_COMMIT": "Replaced, and the transaction run again and committed; nothing lost",
    "CONFIRM_READS": "Replaced; the transaction had only read",
    "SUCCEED": "Replaced; nothing was left to do",
    "SETTLE": "Replaced; the witness settled the COMMIT",
    "RETURNED": "Noticed on its way back to the pool, which replaces it at its next use; nothing lost",
    "POOL": "Noticed in the pool, which replaced it before use; nothing lost",
    "OUTLIVED": "Replaced before it was cut; nothing lost",
    "WAITED": "Waited {seconds:.1f} s, then connected; nothing lost",
    "ANSWERED": "Replaced, and the statement sent again; the server answered it with an error of its own",
}
"""What came of a loss that was continued, by the name of the action."""

_REFUSED = {
    "CommitOutcomeUnknown": "Not sent again: it may have been committed",
    "StatementOutcomeUnknown": "Not sent again: it may have taken effect",
    "StatementKilled": "Not sent again: it was probably ended on purpose",
    "TransactionKilled": "Not run again: it was probably ended on purpose",
    "StatementTimeout": "Not sent again: the server may still be working on it",
    "StreamInterrupted": "The rows that had not been read have to be asked for again",
    "ReplayDiverged": "The transaction was run again and went differently; nothing was committed",
    "PoisonStatement": "Not sent again",
    "ServerUnavailable": "No connection could be had in time; nothing was committed by this call",
    "PacketTooLarge": "Not sent; the connection lives",
}
_SEEN = {
    Phase.IDLE: "found dead before {statement} was sent, after {idle:.1f} s without use",
    Phase.AWAIT: "lost while {statement} was waiting for its reply",
    Phase.SEND: "lost while {statement} was being sent",
    Phase.FETCH: "lost while rows were being read",
    Phase.COMMIT: "lost while {statement} was waiting for its reply",
    Phase.CONNECT: "no connection could be made",
}


def refusal(error: BaseException, *, in_transaction: bool) -> str:
    """What came of a loss that ended in this exception."""
    known = _REFUSED.get(type(error).__name__)
    if known is not None:
        return known
    return "Not continued; the transaction is rolled back" if in_transaction else "Not continued"


def explained(seen: Sighting, endpoint: Endpoint, answers: Answers | None = None) -> Explanation:
    """The cause, from what is known by now."""
    return explain(observations(seen, knowledge_of(endpoint.dossier, seen, answers, endpoint.pool)))


def annotate(error: BaseException, seen: Sighting, endpoint: Endpoint) -> None:
    """Say on an exception why the connection was lost, as far as it can be said at once, and what came of it."""
    explanation = explained(seen, endpoint)
    notes = getattr(error, "__notes__", ())
    note = f"{NOTE}{sentence(seen, explanation)}."
    if not any(other.startswith(NOT_CONTINUED) for other in notes):
        note += f" {seen.done}."
    if explanation.named is None:
        note += _how_to_find_out(explanation, inquired=endpoint.policy.incidents)
    if note not in notes:
        error.add_note(mask_sql(note))


def _how_to_find_out(explanation: Explanation, *, inquired: bool) -> str:
    if inquired:
        return " It is being looked for; what is found is shown by: stillhere incidents"
    return f" To find out: {explanation.collect[0]}" if explanation.collect else ""


def sentence(seen: Sighting, explanation: Explanation) -> str:
    """What happened, in one clause; for an unknown cause what was seen."""
    if explanation.named is not None:
        return explanation.named.sentence
    words = _SEEN[seen.phase].format(statement=seen.statement or "the call", idle=seen.idle)
    code = f" (error {seen.codes[-1]})" if seen.codes and seen.codes[-1] else ""
    return f"cause unknown: {words}{code}"


def tell(seen: Sighting, endpoint: Endpoint, answers: Answers | None) -> events.Incident:
    """Name the cause of a loss once and for all, to the log and to listeners."""
    incident = _incident(seen, explained(seen, endpoint, answers))
    _log(incident)
    events.emit(incident)
    return incident


def _incident(seen: Sighting, explanation: Explanation) -> events.Incident:
    named = explanation.named
    return events.Incident(
        at=seen.at,
        server=seen.server,
        cause=explanation.cause,
        certainty=named.certainty.value if named is not None else 0.0,
        sentence=mask_sql(sentence(seen, explanation)),
        done=seen.done,
        error=seen.error,
        phase=seen.phase.name,
        verdict=seen.verdict.name,
        errno=seen.codes[-1] if seen.codes else 0,
        statement=seen.statement,
        thread_id=seen.lost.thread_id if seen.phase is not Phase.CONNECT else 0,
        idle=round(seen.idle, 3),
        age=round(seen.age, 3),
        in_transaction=seen.in_transaction,
        seconds=round(seen.seconds, 3),
        driver=seen.driver,
        process=seen.used_by[0],
        evidence=tuple(_masked(fact) for fact in named.evidence) if named is not None else (),
        remedy=mask_sql(named.remedy.text) if named is not None else "",
        commands=tuple(map(mask_sql, named.remedy.commands)) if named is not None else (),
        collect=explanation.collect if explanation.cause == UNKNOWN else (),
    )


def _masked(fact: Evidence) -> Evidence:
    return Evidence(mask_sql(fact.fact), fact.source, fact.supports)


def _log(incident: events.Incident) -> None:
    """One record for one loss; the name is constant, and the fields are under one key that no formatter uses."""
    fields: dict[str, Any] = asdict(incident)
    fields |= {"event": "stillhere.incident", "at": incident.at.isoformat()}
    _logger.log(
        logging.WARNING if incident.error else logging.INFO,
        "stillhere.incident server=%s cause=%s phase=%s errno=%d statement=%s: %s. %s.",
        incident.server,
        incident.cause,
        incident.phase,
        incident.errno,
        incident.statement,
        incident.sentence,
        incident.done,
        extra={"stillhere": fields},
    )
