"""Whether the server can have executed what a lost connection was carrying.

`verdict` is the only place that says `NOT_SENT`, and says it only with one of four proofs:

1. before anything was sent, the socket was already dead or had unread bytes (the peek),
2. the loss was found while connecting or idle: there was no statement,
3. the driver's writing failed, and this driver is known to report that, and only that, by this code,
4. the server itself replied that it did not run the statement.

Everything else may have been executed. An error number alone proves nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from stillhere.server.errorcodes import proves_not_executed

if TYPE_CHECKING:
    from stillhere.drivers.base import DriverTraits
    from stillhere.server.versions import Flavour

__all__ = ["Liveness", "Phase", "Verdict", "verdict"]


class Phase(Enum):
    """What a physical connection was doing when its loss was found."""

    CONNECT = "connect"
    IDLE = "idle"
    SEND = "send"
    """Between the decision to send and the return of the driver's writing call, where the driver has one."""
    AWAIT = "await"
    """Sent, the reply not begun; also the whole call of a driver that doesn't tell sending from waiting."""
    FETCH = "fetch"
    """The reply has begun: the statement ran."""
    COMMIT = "commit"
    """The whole call of a COMMIT, or of what may commit."""


class Verdict(Enum):
    """Whether the server can have executed the statement."""

    NOT_SENT = "not sent"
    MAYBE_EXECUTED = "maybe executed"


class Liveness(Enum):
    """What a peek at the socket found; never a guess."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


def verdict(
    traits: DriverTraits,
    phase: Phase,
    errno: int | None,
    *,
    flavour: Flavour | None = None,
    liveness: Liveness = Liveness.UNKNOWN,
    replied: bool = False,
    atomic: bool = True,
    bulk_upload: bool = False,
) -> Verdict:
    """Judge one loss.

    Args:
        traits: the driver's.
        phase: what the connection was doing.
        errno: the code that the driver raised; ``None`` when there was none (an interrupted call).
        flavour: the server's family, ``None`` when it never said.
        liveness: the peek made *before* this statement was handed to the driver. A later peek proves
            nothing about it: pass `Liveness.UNKNOWN`.
        replied: whether the code came in an ERR packet of the server.
        atomic: whether the statement takes effect wholly or not at all (see `proves_not_executed`).
        bulk_upload: whether the driver may have been writing something other than the command (LOAD DATA
            LOCAL), so that a write error doesn't prove that the command was incomplete.
    """
    if phase in (Phase.CONNECT, Phase.IDLE):
        return Verdict.NOT_SENT  # no statement of the application's was handed to the driver
    if phase is Phase.FETCH:
        return Verdict.MAYBE_EXECUTED  # its reply had begun: whatever was wrong before, it was sent
    if liveness is Liveness.DEAD:
        return Verdict.NOT_SENT  # the end of the stream, or a farewell, was there before our first byte
    if errno is None:
        proven = False
    elif replied:
        proven = proves_not_executed(errno, flavour, atomic=atomic)
    else:  # the last byte of the command never left, and a server runs no command that it hasn't read whole
        proven = errno in traits.write_errors and not bulk_upload
    return Verdict.NOT_SENT if proven else Verdict.MAYBE_EXECUTED
