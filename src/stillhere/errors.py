"""Every public exception.

Those that a database call can raise become, at run time, subclasses of the driver's own PEP 249 class
as well (see `for_driver`), so that ``except OperationalError`` in an application goes on working and
SQLAlchemy wraps them in the class that it would have used.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CommitOutcomeUnknown",
    "ConfigurationError",
    "ConnectionMisused",
    "LabError",
    "OutcomeUnknown",
    "PacketTooLarge",
    "PoisonStatement",
    "ReplayDiverged",
    "ServerUnavailable",
    "StatementKilled",
    "StatementOutcomeUnknown",
    "StatementTimeout",
    "StillhereError",
    "StreamInterrupted",
    "TransactionKilled",
    "TransactionLost",
    "UnknownName",
]


class StillhereError(Exception):
    """The root of all exceptions that stillhere raises."""


class ConfigurationError(StillhereError, ValueError):
    """An option, a URL or an argument can't be used as given."""


class UnknownName(ConfigurationError):
    """A name that no registry entry carries.

    Args:
        noun: what was looked for, such as ``"fault"``.
        name: the name that was given.
        known: the names that would have been accepted.
    """

    def __init__(self, noun: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown {noun} {name!r}; there are: {', '.join(sorted(known)) or 'none'}")
        self.noun = noun
        self.name = name
        self.known = known


class LabError(StillhereError):
    """The lab could not start, reach or break a server."""


class CallError(StillhereError):
    """What a call on a logical connection can raise. Never raised as such.

    The first of ``args`` is 0, not an error number of the server's: SQLAlchemy reads it there and would
    throw its whole pool away for 2006 or 2013.
    """

    pep249 = "OperationalError"

    def __init__(self, message: str) -> None:
        super().__init__(0, message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class OutcomeUnknown(CallError):
    """Whether the work took effect can't be known. Look before doing it again."""


class StatementOutcomeUnknown(OutcomeUnknown):
    """An autocommitted statement was sent and its reply lost: it may have taken effect."""


class CommitOutcomeUnknown(OutcomeUnknown):
    """A COMMIT was sent and its reply lost: the transaction may have been committed."""


class ServerUnavailable(CallError):
    """The server could not be reached within ``Policy.ride_through``. Nothing was lost; try later.

    Attributes:
        retry_after: seconds after which a new attempt is worth making.
        uncommitted: whether it is known that nothing was committed. Not so where a read, or the COMMIT after
            reads, lost its reply before: the server would have said whether they only read.
    """

    retry_after: float = 1.0
    uncommitted: bool = True


class TransactionLost(CallError):
    """The open transaction is gone and was not continued; ROLLBACK, then start it again.

    Attributes:
        uncommitted: whether it is known that nothing of the transaction was committed, and that nobody
            ended it on purpose.
    """

    uncommitted: bool = False


class StatementKilled(CallError):
    """A long-running statement ended with its connection while the server stayed up: not sent again."""


class TransactionKilled(CallError):
    """A long-open transaction ended with its connection while the server stayed up: not replayed."""


class StatementTimeout(CallError):
    """The client's own read timeout passed. The server may still be working; never sent again."""


class StreamInterrupted(CallError):
    """Rows were still being read from the server when the connection was lost."""


class ReplayDiverged(CallError):
    """The transaction was run again and the server answered differently; nothing was committed."""


class PoisonStatement(CallError):
    """The statement was in flight at two crashes of the server, and is suspected of causing them."""


class PacketTooLarge(CallError):
    """The statement exceeds the server's ``max_allowed_packet``; nothing was sent."""


class ConnectionMisused(CallError):
    """One connection was used from two threads at once."""

    pep249 = "ProgrammingError"


_JUDGED = "_stillhere_uncommitted"


def judge(error: BaseException, *, uncommitted: bool) -> None:
    """Remember on a driver's own exception, a loss, what is known of it.

    Args:
        error: the driver's exception.
        uncommitted: whether it ended a transaction of which nothing was committed.
    """
    setattr(error, _JUDGED, uncommitted)


def is_judged(error: BaseException) -> bool:
    """Whether a driver's exception is a loss that stillhere has taken in: what it means is told elsewhere."""
    return hasattr(error, _JUDGED)


def known_uncommitted(error: BaseException) -> bool:
    """Whether a driver's exception ended a transaction of which nothing was committed."""
    return getattr(error, _JUDGED, False) is True


_made: dict[tuple[type[CallError], type[Exception]], type[CallError]] = {}


def for_driver(error: type[CallError], dbapi: Any) -> type[CallError]:
    """The exception class that is both ``error`` and the driver's own class for it.

    Args:
        error: one of this module's classes.
        dbapi: the driver's module, with the PEP 249 exception classes as attributes.
    """
    base: type[Exception] = getattr(dbapi, error.pep249)
    made = _made.get((error, base))
    if made is None:
        made = type(error.__name__, (error, base), {"__module__": error.__module__, "__doc__": error.__doc__})
        made = _made.setdefault((error, base), made)
    return made
