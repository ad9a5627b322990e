"""How long an idle connection lasts: what was measured, and the shortest limit that is known for an engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["End", "IdleLimit"]


class End(Enum):
    """How idle connections ended."""

    FAREWELL = "the server said goodbye"
    CLOSED = "it was closed"
    RESET = "it was reset"
    SILENCE = "nothing answered any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleLimit:
    """What a measurement showed.

    Attributes:
        watched: seconds for which connections were left idle.
        lasted: the longest idle time after which a connection still worked; 0 for none.
        ended: the idle time at which the first one was found dead; ``None`` where all of them lived.
        how: how it ended; ``None`` where all of them lived.
        code: the error number of the server's farewell; 0 for none, or where it could not be read (TLS).
        opened: how many connections were left idle.
    """

    watched: float
    lasted: float = 0.0
    ended: float | None = None
    how: End | None = None
    code: int = 0
    opened: int = 0
