"""stillhere ends "MySQL server has gone away".

Add ``?plugin=stillhere`` to a SQLAlchemy URL, or connect with `connect`, and connections outlive the server, the
network and the administrator. What can't be continued safely raises one of the exceptions here.
"""

from __future__ import annotations

import importlib
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
    from stillhere.budget import RetryBudget
    from stillhere.dbapi import connect
    from stillhere.retryable import is_retryable
    from stillhere.units import attempts, retry

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
    "RetryBudget",
    "ServerUnavailable",
    "StatementKilled",
    "StatementOutcomeUnknown",
    "StatementTimeout",
    "StillhereError",
    "StreamInterrupted",
    "TransactionKilled",
    "TransactionLost",
    "__version__",
    "attempts",
    "connect",
    "is_retryable",
    "retry",
]

_LAZY = {
    "RetryBudget": "stillhere.budget",
    "attempts": "stillhere.units",
    "connect": "stillhere.dbapi",
    "is_retryable": "stillhere.retryable",
    "retry": "stillhere.units",
}


def __getattr__(name: str) -> Any:
    """Functions are loaded when first used: an application that only catches exceptions pays for nothing else."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(module), name)
