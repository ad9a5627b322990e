"""How many retries a process may make: a share of its calls and a reserve, so that they can't multiply an outage."""

from __future__ import annotations

import os
import threading

from stillhere.clock import SYSTEM_CLOCK, Clock
from stillhere.errors import ConfigurationError

__all__ = ["PROCESS_BUDGET", "RetryBudget"]

_ROUNDING = 1e-9  # ten deposits of 0.1 are one token


class RetryBudget:
    """A token bucket that every retry takes one token from.

    While a server is in trouble, everybody who calls it fails, and everybody who fails would call it up to
    ``attempts`` times. With a budget the retries stay a fraction of the calls whatever happens: over any time,
    at most ``ratio`` of the calls, plus ``reserve``, plus another ``reserve`` every ``refill`` seconds. Thread-safe.

    Args:
        ratio: the tokens that each call adds: 0.1 allows one retry for every ten calls.
        reserve: the most tokens that the bucket holds, and what it begins with. A process with few calls
            retries from it.
        refill: in how many seconds an empty bucket is full again without any call.
        clock: the time; another one in tests.
    """

    def __init__(
        self, *, ratio: float = 0.1, reserve: int = 10, refill: float = 60.0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ConfigurationError(f"a retry budget's ratio is between 0 and 1, found {ratio}")
        if reserve < 1:
            raise ConfigurationError(
                f"a retry budget's reserve is at least 1, found {reserve}: budget=None has no limit"
            )
        if refill <= 0:
            raise ConfigurationError(f"a retry budget's refill is a time in seconds, found {refill}")
        self._ratio = ratio
        self._reserve = reserve
        self._rate = reserve / refill
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin with a full bucket; after a fork the parent's lock may be held by a thread that isn't here."""
        # Guards the two below: threads that fail at one moment each take a token.
        self._lock = threading.Lock()
        self._tokens = float(self._reserve)
        self._filled_at = self._clock.monotonic()

    def called(self) -> None:
        """Count a call, not its retries."""
        with self._lock:
            self._fill(self._ratio)

    def take(self) -> bool:
        """Take a token for one retry; whether there was one."""
        with self._lock:
            self._fill(0.0)
            if self._tokens < 1 - _ROUNDING:
                return False
            self._tokens = max(0.0, self._tokens - 1)
            return True

    @property
    def left(self) -> float:
        """The tokens in the bucket."""
        with self._lock:
            self._fill(0.0)
            return self._tokens

    def _fill(self, tokens: float) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._reserve, self._tokens + tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.left:.1f} of {self._reserve} left, {self._ratio:.0%} of calls>"


#: Shared by all units of this process that name no other.
PROCESS_BUDGET = RetryBudget()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS_BUDGET.renew)
