"""Monotonic time, sleeping and jitter, injectable so that tests need not wait."""

from __future__ import annotations

import random
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What waiting code needs of time."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going backwards."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event at most that long; whether it was set. Interruptible, unlike a bare sleep."""
        ...

    def jitter(self, seconds: float) -> float:
        """A random duration between half of ``seconds`` and all of it."""
        ...


class SystemClock:
    """The real clock."""

    monotonic = staticmethod(time.monotonic)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait on the event itself, so that whoever sets it ends the wait at once."""
        return event.wait(max(0.0, seconds))

    def jitter(self, seconds: float) -> float:
        """Equal jitter: enough spread to break up a stampede, never a wait of zero."""
        return seconds * (0.5 + _random.random() / 2)


# Without a state of its own: an application's seeded generator isn't disturbed, and the children of a fork,
# who lose their connections together, don't come back in step.
_random = random.SystemRandom()
SYSTEM_CLOCK = SystemClock()
