"""What type checkers see of the public API."""

from __future__ import annotations

from types import ModuleType
from typing import assert_type

import stillhere
from stillhere import (
    CommitOutcomeUnknown,
    ConfigurationError,
    ConnectionMisused,
    OutcomeUnknown,
    PacketTooLarge,
    PoisonStatement,
    Policy,
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
from stillhere.errors import CallError
from stillhere.events import Event, Loss, Recovery, listen, unlisten
from stillhere.integrations.sqlalchemy import StillherePlugin


def connect(dbapi: ModuleType) -> None:
    """A bare connection is as untyped as the driver's own."""
    connection = stillhere.connect(dbapi, host="db", user="app", stillhere=Policy(ride_through=15, witness=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def hook(loss: Loss) -> str | None:
    """A policy's hook answers a reason, or nothing."""
    return "not here" if loss.in_transaction else None


policy = Policy(stricter=hook, journal_bytes=1024, detect_within=0.5)
assert_type(policy.ride_through, float)
assert_type(policy.max_waiting, int)
assert_type(Policy.from_options({"ride_through": "15s"}, policy), Policy)
assert_type(stillhere.__version__, str)


def tell(error: StillhereError) -> str:
    """What an application does with the exceptions."""
    if isinstance(error, ServerUnavailable):
        return f"again in {assert_type(error.retry_after, float)} s"
    if isinstance(error, CallError):
        return assert_type(error.message, str)
    return str(error)


unknown: tuple[type[OutcomeUnknown], ...] = (CommitOutcomeUnknown, StatementOutcomeUnknown)
lost: tuple[type[CallError], ...] = (
    ConnectionMisused,
    PacketTooLarge,
    PoisonStatement,
    ReplayDiverged,
    StatementKilled,
    StatementTimeout,
    StreamInterrupted,
    TransactionKilled,
    TransactionLost,
)
wrong: type[ValueError] = ConfigurationError
plugin: type[StillherePlugin] = StillherePlugin


@listen
def watch(event: Event) -> None:
    """Every event is one of a few records."""
    if isinstance(event, Recovery):
        assert_type(event.loss, Loss)
        assert_type(event.seconds, float)


unlisten(watch)
