"""Whether a unit of work that ended in an exception may be run again from its beginning.

One pure decision over the exception alone. It may be run again only where it is known that nothing of it was
committed, and where running it again can end differently.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere import errors
from stillhere.server import errorcodes

__all__ = ["is_retryable"]

# The packages whose exceptions carry a server's error number.
_DRIVERS = frozenset({"MySQLdb", "asyncmy", "mariadb", "mysql", "pymysql"})
_WRAPPERS = frozenset({"sqlalchemy"})

# Anywhere in the story of an exception, each of these forbids it: the outcome is open (a read timeout may have been
# that of a COMMIT), or somebody wanted the end of it.
_FORBID = (
    errors.OutcomeUnknown,
    errors.PoisonStatement,
    errors.StatementKilled,
    errors.StatementTimeout,
    errors.TransactionKilled,
)


def is_retryable(error: BaseException, *, chained: bool = False, outside: BaseException | None = None) -> bool:
    """Whether the unit of work that raised ``error`` may be run again as a whole, on a new session.

    Args:
        error: a driver's exception, one of `stillhere.errors`, or either of them wrapped by SQLAlchemy.
        chained: follow ``__cause__`` also through other exceptions, such as an application's own.
        outside: what was being handled when the unit began: no part of its story.
    """
    if any(map(_forbids, _story(error, outside))):
        return False
    return _verdict(error, chained=chained)


def retry_after(error: BaseException, *, chained: bool = False) -> float:
    """The seconds that a `ServerUnavailable` within the exception asks to wait; 0 where there is none."""
    for one in _unwrapped(error, chained=chained):
        if isinstance(one, errors.ServerUnavailable):
            return one.retry_after
    return 0.0


def _verdict(error: BaseException, *, chained: bool) -> bool:
    for one in _unwrapped(error, chained=chained):
        if isinstance(one, errors.TransactionLost | errors.ServerUnavailable):
            return one.uncommitted
        if isinstance(one, errors.StillhereError):
            return isinstance(one, errors.ReplayDiverged)
        if _made_by(one, _DRIVERS):
            code = _code(one)
            return errors.known_uncommitted(one) or (code is not None and errorcodes.run_again(code))
    return False


def _unwrapped(error: BaseException, *, chained: bool) -> Iterator[BaseException]:
    """The exception, and what it wraps."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        original = _original(one)
        one = original if original is not None else one.__cause__ if chained else None


def _story(error: BaseException, outside: BaseException | None) -> Iterator[tuple[BaseException, bool]]:
    """All exceptions that led to this one, each with whether stillhere has judged what was beneath it.

    Those that an application caught on the way count: who meets an open COMMIT and then a deadlock in
    the handler has an open COMMIT still.
    """
    seen = {id(outside)}
    left: list[tuple[BaseException | None, bool]] = [(error, False)]
    while left:
        one, judged = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one, judged
        judged = judged or isinstance(one, errors.StillhereError)
        beneath = [_original(one), one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            beneath += one.exceptions
        left += [(other, judged) for other in beneath]


def _forbids(told: tuple[BaseException, bool]) -> bool:
    one, judged = told
    if isinstance(one, _FORBID):
        return True
    if judged or errors.is_judged(one) or isinstance(one, errors.StillhereError) or not _made_by(one, _DRIVERS):
        return False
    # A driver's own loss that nobody has judged may have been that of a COMMIT.
    code = _code(one)
    return code is not None and errorcodes.is_loss(code, None) and not errorcodes.run_again(code)


def _original(error: BaseException) -> BaseException | None:
    """What SQLAlchemy wrapped."""
    original = getattr(error, "orig", None) if _made_by(error, _WRAPPERS) else None
    return original if isinstance(original, BaseException) else None


def _made_by(error: BaseException, packages: frozenset[str]) -> bool:
    return any(kind.__module__.partition(".")[0] in packages for kind in type(error).__mro__)


def _code(error: BaseException) -> int | None:
    """The error number that a driver's exception carries."""
    code = getattr(error, "errno", None)
    if code is None:
        code = error.args[0] if error.args else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None
