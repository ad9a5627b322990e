"""A sighting and what else is known by now, put together as the record that the causes are judged from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stillhere.causes.observations import (
    ClientFacts,
    LossFacts,
    Observations,
    PoolSettings,
    ProcessFacts,
    ServerFacts,
    SessionFacts,
    StatementFacts,
)
from stillhere.continuity.dossier import Answers, Dossier, Sample
from stillhere.continuity.facts import Facts, restarted_between
from stillhere.continuity.sighting import Sighting
from stillhere.continuity.verdict import Phase
from stillhere.masking import mask_sql

__all__ = ["Knowledge", "knowledge_of", "observations"]

# A failed attempt belongs to a loss that was found so many seconds before or after it.
_BEFORE, _AFTER = 1.0, 5.0
# A KILL that was counted in so wide a window may have struck anybody.
_WIDEST = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known beside the sighting.

    Attributes:
        others: how many other connections were lost within a second.
        other_codes: the numbers that those met.
        earlier_idle: idle times of earlier losses.
        unreachable: whether the server could not be reached right after the loss; None when unknown.
        window: counters from before the connection was last good and from after its loss.
        lost_meanwhile: how many connections were lost from when this one was last good to the second reading.
        answers: what the server said afterwards; None where it was not asked, or did not answer.
        variables: global variables as they were read last.
        pool: the application's pool.
    """

    others: int = 0
    other_codes: tuple[int, ...] = ()
    earlier_idle: tuple[float, ...] = ()
    unreachable: bool | None = None
    window: tuple[Sample, Sample] | None = None
    lost_meanwhile: int | None = None
    answers: Answers | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    pool: PoolSettings = field(default_factory=PoolSettings)


def knowledge_of(
    dossier: Dossier, seen: Sighting, answers: Answers | None = None, pool: PoolSettings | None = None
) -> Knowledge:
    """What the process knows by now."""
    tried = seen.phase is Phase.CONNECT or seen.after is not None or answers is not None
    unreachable = dossier.unreachable(seen.found_at - _BEFORE, seen.found_at + seen.seconds + _AFTER)
    others, other_codes = dossier.others(seen)
    # An attempt to connect has failed at its end, or before.
    ended = seen.found_at + (seen.duration or 0.0) if seen.phase is Phase.CONNECT else seen.found_at
    window = dossier.window(seen.alive_at, ended)
    return Knowledge(
        others=others,
        other_codes=other_codes,
        earlier_idle=dossier.earlier_idle(seen),
        unreachable=unreachable if unreachable or tried else None,
        window=window,
        lost_meanwhile=dossier.lost_within(seen.alive_at, window[1].at) if window is not None else None,
        answers=answers,
        variables=answers.variables if answers is not None else dossier.variables,
        pool=pool if pool is not None else PoolSettings(),
    )


def observations(seen: Sighting, known: Knowledge) -> Observations:
    """The record."""
    answers = known.answers
    return Observations(
        client=ClientFacts(
            driver=seen.driver,
            exception=seen.exception,
            codes=seen.codes,
            os_error=seen.os_error,
            timed_out=seen.timed_out,
            interrupted=seen.interrupted,
            message=mask_sql(seen.message) if seen.message else "",
            read_timeout=seen.read_timeout,
            buffered=seen.buffered,
        ),
        loss=_loss(seen, known),
        statement=StatementFacts(verb=seen.statement, size=seen.size),
        session=_session(seen),
        server=_server(seen, known),
        process=_process(seen),
        pool=known.pool,
        log=answers.log if answers is not None else (),
        log_covers=answers is not None and 0 < answers.log_from <= seen.at.timestamp() - seen.idle,
    )


def _loss(seen: Sighting, known: Knowledge) -> LossFacts:
    connected = seen.phase is not Phase.CONNECT
    return LossFacts(
        at=seen.at,
        phase=seen.phase.name,
        verdict=seen.verdict.name,
        idle=seen.idle if connected else None,
        age=seen.age if connected else None,
        duration=seen.duration,
        in_transaction=seen.in_transaction if connected else None,
        transaction_age=seen.transaction_age,
        last_words=seen.last_words,
        hangup=seen.hangup,
        others=known.others,
        other_codes=known.other_codes,
        earlier_idle=known.earlier_idle,
        proactive=seen.proactive,
    )


def _session(seen: Sighting) -> SessionFacts:
    lost = seen.lost
    if seen.phase is Phase.CONNECT or not lost.thread_id:
        return SessionFacts()
    return SessionFacts(
        thread_id=lost.thread_id,
        user=lost.user,
        host=lost.host,
        wait_timeout=lost.wait_timeout or None,
        max_allowed_packet=lost.max_allowed_packet or None,
    )


def _process(seen: Sighting) -> ProcessFacts:
    opened, used = seen.opened_by, seen.used_by
    return ProcessFacts(
        opened_in_process=opened[0] if opened is not None else None,
        used_in_process=used[0],
        opened_in_thread=opened[1] if opened is not None else None,
        used_in_thread=used[1],
    )


def _server(seen: Sighting, known: Knowledge) -> ServerFacts:
    lost, answers = seen.lost, known.answers
    after = _after(seen, answers)
    now: Mapping[str, str] = answers.variables if answers is not None else {}
    kills, deltas = _growth(known.window)
    # The address is all that is known of a server that was never reached.
    met = bool(lost.thread_id or lost.identity)
    return ServerFacts(
        address=seen.server,
        flavour=lost.flavour if met else after.flavour if after is not None else None,
        version=lost.version if met else after.version if after is not None else None,
        variables=known.variables,
        uptime=float(after.uptime) if after is not None and after.uptime >= 0 else None,
        restarted=restarted_between(lost, after, sure=True) if after is not None and met else None,
        unreachable=known.unreachable,
        same=after.identity == lost.identity if after is not None and after.identity and lost.identity else None,
        thread_alive=_thread_alive(seen, answers),
        kills=kills,
        lost_meanwhile=known.lost_meanwhile,
        deltas=deltas,
        read_only_now=now["read_only"].upper() not in {"OFF", "0"} if "read_only" in now else None,
    )


def _after(seen: Sighting, answers: Answers | None) -> Facts | None:
    """The next look at the server: that of the connection that took the lost one's place, or of the one that asked."""
    if seen.after is not None:
        return seen.after
    return answers.sample.facts if answers is not None else None


def _thread_alive(seen: Sighting, answers: Answers | None) -> bool | None:
    lost = seen.lost
    if answers is None or seen.phase is Phase.CONNECT or not lost.user or "threads" in answers.gaps:
        return None
    if (
        answers.sample.facts.identity != lost.identity
        or restarted_between(lost, answers.sample.facts, sure=True) is not False
    ):
        return None
    return (lost.thread_id, lost.user, lost.host) in answers.threads


def _growth(window: tuple[Sample, Sample] | None) -> tuple[int | None, Mapping[str, int]]:
    if window is None:
        return None, {}
    before, after = window
    deltas = {name: after.counters[name] - count for name, count in before.counters.items() if name in after.counters}
    if before.kills < 0 or after.kills < 0:
        return None, deltas
    # What is counted as others' must be theirs.
    kills = max(0, (after.kills - before.kills) - (after.own_most - before.own_least))
    return (kills if not kills or after.at - before.at <= _WIDEST else None), deltas
