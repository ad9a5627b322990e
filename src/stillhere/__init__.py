"""stillhere ends "MySQL server has gone away".

Add ``?plugin=stillhere`` to a SQLAlchemy URL, or connect with `connect`, and connections outlive the server, the
network and the administrator. What can't be continued safely raises one of the exceptions here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillhere.errors import (
    CommitOutcomeUnknown,
    ConfigurationError,
    ConnectionMisused,
    OutcomeUnknown,
    PacketTooLarge,
    PoisonStatement,
    ReplayDiverged,
    ServerUnavailable,
    StatementKilled,
    StatementOutcomeUnknown,
    StatementTimeout,
    StillhereError,
    StreamInterrupted,
    TransactionKilled,
    TransactionLost,
)
from stillhere.policy import Policy

if TYPE_CHECKING:
    from stillhere.dbapi import connect

__version__ = "0.1.0"

__all__ = [
    "CommitOutcomeUnknown",
    "ConfigurationError",
    "ConnectionMisused",
    "OutcomeUnknown",
    "PacketTooLarge",
    "PoisonStatement",
    "Policy",
    "ReplayDiverged",
    "ServerUnavailable",
    "StatementKilled",
    "StatementOutcomeUnknown",
    "StatementTimeout",
    "StillhereError",
    "StreamInterrupted",
    "TransactionKilled",
    "TransactionLost",
    "__version__",
    "connect",
]


def __getattr__(name: str) -> Any:
    """`connect` is loaded when it is first used: an application that only catches exceptions pays for nothing else."""
    if name != "connect":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stillhere.dbapi import connect  # noqa: PLC0415 - see above

    return connect
