"""One call of a unit of work: its attempts, the waits between them, and whether another one follows."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, auto
from types import ModuleType, TracebackType
from typing import Any, Self, TypedDict

from stillhere.budget import PROCESS_BUDGET, RetryBudget
from stillhere.clock import SYSTEM_CLOCK, Clock
from stillhere.errors import ConfigurationError
from stillhere.retryable import is_retryable, retry_after

__all__ = ["AsyncLoop", "Attempt", "Attempts", "Call", "Limits", "Loop", "Terms"]

_logger = logging.getLogger("stillhere")


class Terms(TypedDict, total=False):
    """How often, how long and for what a unit is run again. Durations are in seconds.

    Attributes:
        within: no attempt begins later than this after the first one; sleeps and attempts count. 30 s: the
            patience of most callers. None for no limit. A running attempt isn't interrupted.
        attempts: the most attempts, the first included. 5.
        first_wait: the wait after the first failure, doubled after each further one, less up to a half at
            random. 0.05 s: a deadlock is over by then. ``ServerUnavailable.retry_after`` is added to it.
        longest_wait: the most that it is doubled to. 5 s.
        budget: what the retries are taken from; None for no limit. One for the whole process.
        chained: whether an exception of the application's own is judged by its ``__cause__``. False.
        halt: an event that ends the waiting, for a process that shuts down.
        clock: the time; another one in tests.
    """

    within: float | None
    attempts: int
    first_wait: float
    longest_wait: float
    budget: RetryBudget | None
    chained: bool
    halt: threading.Event | None
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The terms with their defaults."""

    within: float | None = 30.0
    attempts: int = 5
    first_wait: float = 0.05
    longest_wait: float = 5.0
    budget: RetryBudget | None = PROCESS_BUDGET
    chained: bool = False
    halt: threading.Event | None = None
    clock: Clock = SYSTEM_CLOCK

    def __post_init__(self) -> None:
        _tenacity()
        if self.attempts < 1:
            raise ConfigurationError(
                f"attempts counts the first one too, so that it is at least 1, found {self.attempts}"
            )
        for name in ("within", "first_wait", "longest_wait"):
            seconds = getattr(self, name)
            if seconds is not None and seconds < 0:
                raise ConfigurationError(f"{name} must not be negative, found {seconds}")


class Attempts:
    """What `attempts` returns: each loop over it is one call of the unit."""

    def __init__(self, limits: Limits, name: str) -> None:
        self._limits = limits
        self._name = name

    def __iter__(self) -> Loop:
        return Loop(Call(self._limits, self._name))

    def __aiter__(self) -> AsyncLoop:
        return AsyncLoop(Call(self._limits, self._name))


class Loop:
    """One call, waiting on its thread."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Attempt:
        call = self._call
        if call.stage is _Stage.OVER:
            raise StopIteration
        if call.stage is _Stage.FAILED:
            call.limits.clock.wait(call.halt, call.pause)
        return call.begin()


class AsyncLoop:
    """One call, waiting without keeping the event loop from others."""

    def __init__(self, call: Call) -> None:
        self._call = call
        call.blocking = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        call = self._call
        if call.stage is _Stage.OVER:
            raise StopAsyncIteration
        if call.stage is _Stage.FAILED:
            await asyncio.sleep(call.pause)
        return call.begin()


class Attempt:
    """One attempt, to be used with ``with``. An exception after which another one follows ends here.

    Attributes:
        number: 1 for the first.
    """

    def __init__(self, call: Call, number: int) -> None:
        self._call = call
        self.number = number

    def __enter__(self) -> Self:
        _running.set(self._call)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        # Not by a token: a generator may be left in another context than it was entered in.
        _running.set(self._call.outer)
        return self._call.ended(error)


class _Stage(Enum):
    """Of one call: NEW → TRYING → OVER, or → FAILED → TRYING and so on."""

    NEW = auto()
    TRYING = auto()
    FAILED = auto()
    OVER = auto()


class Call:
    """One call of a unit: how many attempts, since when, and whether another one follows.

    tenacity counts the attempts and computes the waits; what decides is here.

    Attributes:
        limits: the terms.
        outer: the call inside which this one began; None where there is none.
        nested: that one is being tried, so that this one runs once and its end is the outer one's.
        stage: where it is.
        blocking: waiting would keep its thread.
        pause: how long to wait before the next attempt.
        halt: what ends the waiting.
        split: a part of it was committed on a session of its own, so that it can't be run again as a whole.
        session: what the attempt was given, with the factory that made it and the task it belongs to.
    """

    stage: _Stage
    blocking: bool

    def __init__(self, limits: Limits, name: str) -> None:
        self.limits = limits
        self.outer = _running.get()
        self.nested = self.outer is not None and self.outer.stage is _Stage.TRYING
        self.stage = _Stage.NEW
        self.blocking = True
        self.pause = 0.0
        self.halt = limits.halt if limits.halt is not None else threading.Event()
        self.split = False
        self.session: tuple[Any, Callable[[], Any], object] | None = None
        self._name = name
        self._outside = sys.exception()
        self._began = limits.clock.monotonic()
        self._error: BaseException | None = None
        tenacity = _tenacity()
        backoff = tenacity.wait_exponential(multiplier=limits.first_wait, max=limits.longest_wait)
        self._retrying = tenacity.Retrying(
            wait=lambda state: limits.clock.jitter(backoff(state)) + self._asked_to_wait(),
            stop=lambda state: self._gives_up(state.attempt_number, state.upcoming_sleep),
            retry=tenacity.retry_always,
            retry_error_callback=lambda _: None,
        )
        self._state = tenacity.RetryCallState(self._retrying, fn=None, args=(), kwargs={})

    def begin(self) -> Attempt:
        """The next attempt; raises what the last one ended in where none may follow any more."""
        if self.stage is _Stage.TRYING:
            raise ConfigurationError("an attempt was not used: write 'with attempt:' inside the loop")
        if self.stage is _Stage.NEW:
            if self.limits.budget is not None and not self.nested:
                self.limits.budget.called()
            self._retrying.begin()
        else:
            error, self._error = self._error, None
            if self.halt.is_set() and error is not None:
                self.stage = _Stage.OVER
                self._note(error, self._state.attempt_number, "halted")
                raise error
            self._state.prepare_for_next_attempt()
        self.stage = _Stage.TRYING
        return Attempt(self, self._state.attempt_number)

    def ended(self, error: BaseException | None) -> bool:
        """Take in how an attempt ended; whether another one follows."""
        self.stage = _Stage.OVER
        if error is None or self.nested or not self._retryable(error):
            return False
        self._error = error
        self._state.set_exception((type(error), error, error.__traceback__))
        pause = self._retrying.iter(self._state)
        if pause is None:
            self._error = self._state.outcome = None
            return False
        self.pause = float(pause)
        _logger.warning(
            "stillhere.retry unit=%s attempt=%d wait=%.3fs error=%s",
            self._name,
            self._state.attempt_number,
            self.pause,
            type(error).__name__,
        )
        self.stage = _Stage.FAILED
        return True

    def joined(self, sessions: Callable[[], Any]) -> Any | None:
        """The session of the call around this one, if it is of the same factory, thread and task."""
        if not self.nested or self.outer is None or self.outer.session is None:
            return None
        session, made_by, task = self.outer.session
        return session if made_by == sessions and task == _task() else None

    def give(self, session: Any, sessions: Callable[[], Any]) -> None:
        """The session with which the present attempt works; calls inside this one may join it."""
        self.session = (session, sessions, _task())

    def committed(self) -> None:
        """A session of this call's own was committed: no call around it can be run again as a whole."""
        call = self.outer if self.nested else None
        while call is not None:
            call.split = True
            call = call.outer if call.nested else None

    def _retryable(self, error: BaseException) -> bool:
        return is_retryable(error, chained=self.limits.chained, outside=self._outside)

    def _asked_to_wait(self) -> float:
        return retry_after(self._error, chained=self.limits.chained) if self._error is not None else 0.0

    def _gives_up(self, number: int, pause: float) -> bool:
        assert self._error is not None  # noqa: S101 - tenacity asks after a failure only
        why = self._why_not(number, pause)
        if why:
            self._note(self._error, number, why)
        return bool(why)

    def _why_not(self, number: int, pause: float) -> str:
        """Why no further attempt follows; empty when one does. The budget comes last: asking takes from it."""
        limits, why = self.limits, ""
        if self.split:
            why = "a part of it was committed on a session of its own"
        elif number >= limits.attempts:
            why = f"attempts is {limits.attempts}"
        elif limits.within is not None and self._elapsed() + pause > limits.within:
            why = f"within is {limits.within:g} s"
        elif self.halt.is_set():
            why = "halted"
        elif self.blocking and _in_event_loop():
            why = "waiting would block the event loop: make it async"
        elif limits.budget is not None and not limits.budget.take():
            why = "the retry budget is used up"
        return why

    def _note(self, error: BaseException, number: int, why: str) -> None:
        tries = "1 attempt" if number == 1 else f"{number} attempts"
        error.add_note(f"stillhere: gave up after {tries} in {self._elapsed():.1f} s ({why})")

    def _elapsed(self) -> float:
        return self.limits.clock.monotonic() - self._began


# The call whose attempt is being made in this context. Tasks and threads that copy the context are inside of it.
_running: ContextVar[Call | None] = ContextVar("stillhere_unit", default=None)


def _task() -> object:
    """What a session belongs to: a task, or else a thread."""
    return (threading.get_ident(), asyncio.current_task() if _in_event_loop() else None)


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _tenacity() -> ModuleType:
    """Imported for whoever uses units only."""
    try:
        import tenacity  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ConfigurationError("units of work need tenacity: pip install 'stillhere[retry]'") from error
    return tenacity
