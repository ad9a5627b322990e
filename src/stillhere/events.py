"""What happened to a connection, as frozen records that anyone may listen to.

Listeners are called on the thread that met the loss, after the decision and outside every lock; for an `Incident`
on the thread that found its cause, some time later. One that raises is logged and otherwise ignored: watching must
not change what is watched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from stillhere.findings import Evidence

__all__ = ["Event", "Incident", "Loss", "Recovery", "Refusal", "Replay", "Wait", "emit", "listen", "unlisten"]

_logger = logging.getLogger("stillhere")
# A library's records go where the application sends them, and nowhere when it sends them nowhere.
_logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A physical connection was found unusable.

    Attributes:
        server: address as text, without credentials.
        thread_id: the server's id of the lost thread; 0 when never learned.
        phase: name of the `stillhere.continuity.verdict.Phase`.
        verdict: name of the `stillhere.continuity.verdict.Verdict`.
        errno: the error number that the driver gave; 0 when the socket was found dead without one.
        statement: the verb of the statement concerned, never its text.
        idle: seconds since the connection was last used.
        age: seconds since it was opened.
        in_transaction: whether a transaction was open on it.
        wait_timeout: the session's own ``wait_timeout``, in seconds; 0 when unknown.
    """

    server: str
    thread_id: int
    phase: str
    verdict: str
    errno: int
    statement: str
    idle: float
    age: float
    in_transaction: bool
    wait_timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A call waited for the server. ``seconds`` it took, ``served`` whether the server came back in time."""

    server: str
    seconds: float
    served: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A transaction of ``statements`` was run again in ``seconds``; ``same`` unless it diverged."""

    server: str
    statements: int
    seconds: float
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A loss was continued by ``action`` after ``seconds``; the application noticed nothing else."""

    loss: Loss
    action: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A loss was not continued: the application got ``error`` for ``reason``."""

    loss: Loss
    error: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Why a connection was lost, or could not be made: one for each loss, once its cause has been looked for.

    Attributes:
        at: when it was met, by the client's clock, aware.
        server: address as text, without credentials.
        cause: name of the cause; ``"unknown"`` where none could be named.
        certainty: from 0 to 1; 0 for an unknown cause.
        sentence: what happened, in one clause with its measured numbers and without a full stop, masked.
        done: what came of it, such as ``"Replaced; nothing lost"``; without a full stop.
        error: class of the exception that the application got; empty where it noticed nothing.
        phase: name of the `stillhere.continuity.verdict.Phase`.
        verdict: name of the `stillhere.continuity.verdict.Verdict`.
        errno: the error number that the driver gave; 0 where the socket was found dead without one.
        statement: the verb of the statement concerned, never its text.
        thread_id: the server's id of the lost thread; 0 when never learned.
        idle: seconds since the connection was last used.
        age: seconds since it was opened.
        in_transaction: whether a transaction was open on it.
        seconds: how long the application's call took from the loss to its end.
        driver: the driver's package.
        process: id of the process that met it.
        evidence: the facts for and against the named cause, masked.
        remedy: what to do about it; empty where there is nothing to do or no cause.
        commands: statements, settings or code that do so.
        collect: what would settle the cause, where it isn't proved.
    """

    at: datetime
    server: str
    cause: str
    certainty: float
    sentence: str
    done: str
    error: str = ""
    phase: str = ""
    verdict: str = ""
    errno: int = 0
    statement: str = ""
    thread_id: int = 0
    idle: float = 0.0
    age: float = 0.0
    in_transaction: bool = False
    seconds: float = 0.0
    driver: str = ""
    process: int = 0
    evidence: tuple[Evidence, ...] = ()
    remedy: str = ""
    commands: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()


Event: TypeAlias = Loss | Wait | Replay | Recovery | Refusal | Incident

_listeners: tuple[Callable[[Event], None], ...] = ()


def listen(listener: Callable[[Event], None]) -> Callable[[Event], None]:
    """Call ``listener`` with every event of this process from now on; it is returned, for decorating."""
    global _listeners  # noqa: PLW0603 - replaced whole, so that emit needs no lock
    _listeners = (*_listeners, listener)
    return listener


def unlisten(listener: Callable[[Event], None]) -> None:
    """Stop calling ``listener``; one that was never registered is ignored."""
    global _listeners  # noqa: PLW0603 - as in listen
    _listeners = tuple(known for known in _listeners if known is not listener)


def emit(event: Event) -> None:
    """Tell every listener."""
    for listener in _listeners:
        try:
            listener(event)
        except Exception:
            _logger.exception("stillhere.listener_failed")
