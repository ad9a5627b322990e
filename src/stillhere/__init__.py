"""stillhere ends "MySQL server has gone away".

Add ``?plugin=stillhere`` to a SQLAlchemy URL, or connect with `connect`, and connections outlive the server, the
network and the administrator. What can't be continued safely raises one of the exceptions here.
"""

from __future__ import annotations

from stillhere.dbapi import connect
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
