"""Units of work: what can't be continued is run again from its beginning, on a new session.

    @stillhere.retry(sessions=Session)
    def transfer(session, cents): ...

    for attempt in stillhere.attempts(within=10):
        with attempt, Session.begin() as session:
            ...

A unit is one transaction. It is run again only where `stillhere.retryable.is_retryable` says that nothing of it
was committed; an open outcome is never retried.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, Unpack, overload

from stillhere.errors import ConfigurationError
from stillhere.retryable import is_retryable
from stillhere.trying import AsyncLoop, Attempt, Attempts, Call, Limits, Loop, Terms

__all__ = ["Attempt", "Attempts", "Terms", "attempts", "is_retryable", "retry"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)

_logger = logging.getLogger("stillhere")


class _AsIs(Protocol):
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...


class _GivesSession(Protocol[S_co]):
    def __call__(self, function: Callable[Concatenate[S_co, P], R], /) -> Callable[P, R]: ...


@overload
def retry(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def retry(*, sessions: Callable[[], S], **terms: Unpack[Terms]) -> _GivesSession[S]: ...
@overload
def retry(*, sessions: None = None, **terms: Unpack[Terms]) -> _AsIs: ...
def retry(
    function: Callable[..., Any] | None = None,
    /,
    *,
    sessions: Callable[[], Any] | None = None,
    **terms: Unpack[Terms],
) -> Any:
    """Make a function a unit of work, run again as a whole where that is safe and may help.

    For functions and ``async def`` alike. Without ``sessions`` the function makes its own session, inside.

    Args:
        function: with no argument at all, ``@stillhere.retry`` stands alone.
        sessions: makes the session that each attempt gets as its first argument: SQLAlchemy's
            ``sessionmaker`` or anything without arguments whose result has ``commit``, ``rollback`` and
            ``close``. Committed after the function returned, rolled back after an exception, always closed.
        **terms: see `Terms`.

    Raises:
        ConfigurationError: a generator function, a method with ``sessions``, unusable terms, or no tenacity.
    """
    limits = Limits(**terms)

    def decorate(unit: Callable[..., Any]) -> Callable[..., Any]:
        _check(unit, sessions)
        return _wrap_async(unit, sessions, limits) if _is_async(unit) else _wrap(unit, sessions, limits)

    return decorate if function is None else decorate(function)


def attempts(**terms: Unpack[Terms]) -> Attempts:
    """The attempts of a unit of work that is a block; in a coroutine with ``async for``.

        for attempt in stillhere.attempts():
            with attempt, Session.begin() as session:
                ...

    Put nothing after the inner block: it would run after a failed attempt, too.

    Args:
        **terms: see `Terms`.

    Raises:
        ConfigurationError: unusable terms, or no tenacity.
    """
    return Attempts(Limits(**terms), "block")


def _wrap(unit: Callable[..., Any], sessions: Callable[[], Any] | None, limits: Limits) -> Callable[..., Any]:
    name = _name(unit)

    @functools.wraps(unit)
    def run(*args: Any, **kwargs: Any) -> Any:
        call = Call(limits, name)
        for attempt in Loop(call):
            with attempt:
                if sessions is None:
                    return unit(*args, **kwargs)
                joined = call.joined(sessions)
                if joined is not None:
                    return unit(joined, *args, **kwargs)
                return _in_session(call, sessions, lambda session: unit(session, *args, **kwargs))
        raise AssertionError("a call ends in a result or an exception")

    return run


def _in_session(call: Call, sessions: Callable[[], Any], work: Callable[[Any], Any]) -> Any:
    session = sessions()
    try:
        call.give(session, sessions)
        result = work(session)
        try:
            session.commit()
        except BaseException as error:
            if not is_retryable(error):
                call.committed()
            raise
        call.committed()
    except BaseException:
        for end in (session.rollback, session.close):
            try:
                end()
            except Exception:  # the first exception is the one to tell
                _logger.warning("stillhere.unit_%s_failed", end.__name__, exc_info=True)
        raise
    try:
        session.close()
    except Exception:  # the work is committed: an exception now would say that it isn't
        _logger.warning("stillhere.unit_close_failed", exc_info=True)
    return result


def _wrap_async(unit: Callable[..., Any], sessions: Callable[[], Any] | None, limits: Limits) -> Callable[..., Any]:
    name = _name(unit)

    @functools.wraps(unit)
    async def run(*args: Any, **kwargs: Any) -> Any:
        call = Call(limits, name)
        async for attempt in AsyncLoop(call):
            with attempt:
                if sessions is None:
                    return await unit(*args, **kwargs)
                joined = call.joined(sessions)
                if joined is not None:
                    return await unit(joined, *args, **kwargs)
                return await _in_async_session(call, sessions, lambda session: unit(session, *args, **kwargs))
        raise AssertionError("a call ends in a result or an exception")

    return run


async def _in_async_session(call: Call, sessions: Callable[[], Any], work: Callable[[Any], Any]) -> Any:
    session = sessions()
    try:
        call.give(session, sessions)
        result = await work(session)
        try:
            await session.commit()
        except BaseException as error:
            if not is_retryable(error):
                call.committed()
            raise
        call.committed()
    except BaseException:
        for end in (session.rollback, session.close):
            try:
                await end()
            except Exception:  # the first exception is the one to tell
                _logger.warning("stillhere.unit_%s_failed", end.__name__, exc_info=True)
        raise
    try:
        await session.close()
    except Exception:  # the work is committed: an exception now would say that it isn't
        _logger.warning("stillhere.unit_close_failed", exc_info=True)
    return result


def _check(unit: Any, sessions: Callable[[], Any] | None) -> None:
    if not callable(unit):
        raise ConfigurationError(f"retry decorates a function, found {type(unit).__name__}; @classmethod goes above it")
    if any(map(_hands_out, (unit, type(unit).__call__))):
        raise ConfigurationError(
            f"{_name(unit)} is a generator function: what it has handed out can't be taken back, so it can't be run "
            "again. Collect the rows in it and return them"
        )
    if sessions is not None:
        first = next(iter(inspect.signature(unit).parameters), "")
        if first in {"self", "cls"}:
            raise ConfigurationError(
                f"{_name(unit)} is a method: sessions= would pass the session as {first!r}. Decorate a function, "
                "or use stillhere.attempts() in the method"
            )


def _is_async(unit: Any) -> bool:
    return any(map(inspect.iscoroutinefunction, (unit, type(unit).__call__)))


def _hands_out(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _name(unit: Any) -> str:
    return str(getattr(unit, "__qualname__", None) or type(unit).__qualname__)
