"""What happens at a loss beside continuing it: a note on the exception, and an incident. Called off the hot path."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stillhere.continuity import telling
from stillhere.continuity.inquiry import INQUIRY
from stillhere.continuity.sighting import Sighting, of_connect, of_interruption, of_packet, of_pool
from stillhere.continuity.states import LinkState
from stillhere.continuity.verdict import Liveness, Phase

if TYPE_CHECKING:
    from stillhere.continuity.endpoint import Endpoint
    from stillhere.continuity.facts import Facts
    from stillhere.continuity.link import Link

__all__ = ["broken_off", "continued", "left_in_pool", "not_connected", "not_sent", "refused"]


def continued(link: Link, sightings: Sequence[Sighting], action: str, seconds: float) -> None:
    """A call went on after its losses.

    Args:
        link: the logical connection's.
        sightings: its losses.
        action: name of the `stillhere.continuity.continuation.Action`, or ``RETURNED``.
        seconds: how long it took.
    """
    for seen in sightings:
        seen.done, seen.seconds = telling.CONTINUED[action], seconds
        _hand_in(seen, link)


def refused(link: Link, sightings: Sequence[Sighting], error: BaseException, seconds: float) -> None:
    """A call ended in an exception after its losses; the last of them is explained on it."""
    for seen in sightings:
        seen.error, seen.seconds = type(error).__name__, seconds
        seen.done = telling.refusal(error, in_transaction=seen.in_transaction)
        _hand_in(seen, link)
    if sightings:
        telling.annotate(error, sightings[-1], link.endpoint)


def left_in_pool(link: Link) -> bool:
    """A connection can't leave its pool, which opens another: found dead there, or near its idle limit; False."""
    if link.state is LinkState.READY:
        seen = of_pool(link)
        seen.proactive = link.look() is not Liveness.DEAD
        seen.done = telling.CONTINUED["OUTLIVED" if seen.proactive else "POOL"]
        _hand_in(seen, link)
    return False


def broken_off(link: Link, phase: Phase, error: BaseException, raised: BaseException | None = None) -> None:
    """A call was interrupted, or lost its connection, in the middle of its reply.

    Args:
        link: the logical connection's.
        phase: what it was doing.
        error: what ended it.
        raised: what the application gets, where it is another exception.
    """
    seen = of_interruption(link, phase, error, buffered=False if phase is Phase.FETCH else None)
    told = raised if raised is not None else error
    seen.error, seen.done = type(told).__name__, telling.refusal(told, in_transaction=seen.in_transaction)
    _hand_in(seen, link)
    if raised is not None:
        telling.annotate(raised, seen, link.endpoint)


def not_sent(link: Link, statement: str, size: int, error: BaseException) -> None:
    """A statement would have been cut off for its size, and was not sent."""
    seen = of_packet(link, statement, size)
    seen.error, seen.done = type(error).__name__, telling.refusal(error, in_transaction=seen.in_transaction)
    _hand_in(seen, link)


def not_connected(
    endpoint: Endpoint,
    chain: Callable[[], Any],
    latest: Facts,
    began: float,
    trouble: BaseException,
    facts: Facts | None,
    error: BaseException | None,
) -> None:
    """A connection could not be made at once.

    Args:
        endpoint: whose.
        chain: the user's connect chain.
        latest: what was learned of the server before.
        began: when it was wanted.
        trouble: the last failure that was met.
        facts: of the connection that was made in the end.
        error: what the application gets where none was.
    """
    seen = of_connect(endpoint.name, endpoint.driver, latest, began, trouble)
    seen.after, seen.seconds = facts, time.monotonic() - began
    if error is None:
        seen.done = telling.CONTINUED["WAITED"].format(seconds=seen.seconds)
    else:
        seen.error, seen.done = type(error).__name__, telling.refusal(error, in_transaction=False)
    _submit(seen, endpoint, chain)
    if error is not None:
        telling.annotate(error, seen, endpoint)


def _hand_in(seen: Sighting, link: Link) -> None:
    if link.facts is not seen.lost and link.facts.thread_id:
        seen.after = link.facts
    _submit(seen, link.endpoint, link.chain)


def _submit(seen: Sighting, endpoint: Endpoint, chain: Callable[[], Any]) -> None:
    endpoint.dossier.note_loss(seen)
    if endpoint.policy.incidents:
        INQUIRY.submit(seen, endpoint, chain)
    else:
        telling.tell(seen, endpoint, None)
