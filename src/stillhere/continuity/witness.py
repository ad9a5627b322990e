"""The witness: a row that commits with the transaction, and settles afterwards whether it did.

Asking is not enough: a COMMIT whose reply was lost may still be on its way when the question is answered. So the
resolver closes the door: it inserts the transaction's own token as a tombstone. Where that succeeds, the
transaction has not committed and never can, since its own insert of the token would meet the tombstone. Where
it meets the token, the kind of the row that stands there is the answer.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from stillhere.continuity.witness_table import SENTINEL, TABLE, WATERMARK, qualified
from stillhere.errors import ConfigurationError
from stillhere.server.errorcodes import is_loss

if TYPE_CHECKING:
    from stillhere.continuity.facts import Facts
    from stillhere.drivers.base import Driver

__all__ = ["Settlement", "Token", "Witness", "same_server"]

_DUPLICATE_KEY = 1062
_LOCK_CONFLICTS = frozenset({1205, 1213})
# The server refuses writing as such; a transaction that writes would not get as far as its COMMIT.
_READ_ONLY = frozenset({1290, 1792, 1836})


class Settlement(Enum):
    """What became of a COMMIT whose reply was lost."""

    COMMITTED = "the transaction was committed"
    NEVER = "it was not committed and never will be"
    UNKNOWN = "it can't be known"


@dataclass(frozen=True, slots=True)
class Token:
    """What a transaction inserted before its COMMIT. ``left_at`` on the monotonic clock."""

    value: bytes
    left_at: float


class Witness:
    """The witness table of one schema, as an endpoint's connections use it.

    Args:
        schema: where the table is: the schema of the data, so that a replica that filters schemas has both or neither.
    """

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._table = qualified(schema).encode()

    def check(self, driver: Driver, connection: Any) -> None:
        """Try, in a transaction that is rolled back, all that will be needed.

        Raises:
            ConfigurationError: the table or a right is missing; with the server's words and what to do.
        """
        try:
            driver.fetch(connection, b"START TRANSACTION")
            self._insert(driver, connection, os.urandom(16), b"T")
            driver.fetch(
                connection, b"SELECT kind FROM " + self._table + b" WHERE token = 0x" + SENTINEL.hex().encode()
            )
        except driver.dbapi.Error as error:
            code = driver.errno(error)
            if is_loss(code, None) or driver.is_closed_error(error):
                raise  # another connection will tell; on this one there is nothing left to roll back
            driver.fetch(connection, b"ROLLBACK")
            if code in _READ_ONLY:
                return
            raise ConfigurationError(
                f"witness=on, but {self.schema}.{TABLE} can't be used ({code} {error.args[-1]}). Create it with "
                "'stillhere witness create URL', and grant SELECT and INSERT on it to the application's account"
            ) from error
        driver.fetch(connection, b"ROLLBACK")

    def leave(self, driver: Driver, connection: Any) -> Token:
        """Insert a fresh token into the open transaction: one round trip."""
        token = Token(os.urandom(16), time.monotonic())
        self._insert(driver, connection, token.value, b"W")
        return token

    def settle(
        self, driver: Driver, connection: Any, token: Token, *, same_server: bool, deadline: float
    ) -> Settlement:
        """Find out what became of the token's transaction, and close the door behind the answer.

        Args:
            driver: of ``connection``.
            connection: one of its own, with autocommit on, on which nothing else runs.
            token: what the transaction inserted.
            same_server: whether this is the server to which the COMMIT was sent, or one that is declared to have every
                acknowledged commit. Elsewhere the row's presence proves the commit; its absence proves nothing.
            deadline: when to give up, on the monotonic clock.

        Raises:
            Exception: the driver's own, for a loss; the answer to the next attempt is as good.
        """
        if not same_server:
            return Settlement.COMMITTED if self._kind(driver, connection, token) == "W" else Settlement.UNKNOWN
        while True:
            try:
                self._insert(driver, connection, token.value, b"T")
            except driver.dbapi.Error as error:
                code = driver.errno(error)
                if code == _DUPLICATE_KEY:
                    break
                if code in _LOCK_CONFLICTS and time.monotonic() < deadline:
                    continue  # its COMMIT is under way: the insert waits for the end of it
                if is_loss(code, None) or driver.is_closed_error(error):
                    raise
                return Settlement.UNKNOWN
            else:
                return Settlement.UNKNOWN if self._purged_since(driver, connection, token) else Settlement.NEVER
        # By itself a duplicate proves nothing: it may be the tombstone of an earlier attempt at this very question.
        return {"W": Settlement.COMMITTED, "T": Settlement.NEVER}.get(
            self._kind(driver, connection, token), Settlement.UNKNOWN
        )

    def _insert(self, driver: Driver, connection: Any, token: bytes, kind: bytes) -> None:
        driver.fetch(
            connection,
            b"INSERT INTO %s VALUES (0x%s, '%s', UTC_TIMESTAMP(6))" % (self._table, token.hex().encode(), kind),
        )

    def _kind(self, driver: Driver, connection: Any, token: Token) -> str:
        rows = driver.fetch(
            connection, b"SELECT kind FROM %s WHERE token = 0x%s" % (self._table, token.value.hex().encode())
        )
        if not rows:
            return ""
        kind = rows[0][0]
        return kind.decode() if isinstance(kind, bytes) else str(kind)

    def _purged_since(self, driver: Driver, connection: Any, token: Token) -> bool:
        """Whether tokens as old as this one may have been purged: read after the tombstone stands."""
        age = int((time.monotonic() - token.left_at) * 1_000_000) + 1_000_000
        rows = driver.fetch(
            connection,
            b"SELECT created > UTC_TIMESTAMP(6) - INTERVAL %d MICROSECOND FROM %s WHERE token = 0x%s"
            % (age, self._table, WATERMARK.hex().encode()),
        )
        return not rows or bool(int(rows[0][0]))


def same_server(lost: Facts, now: Facts) -> bool:
    """Whether two physical connections led to one and the same server; False where that isn't known."""
    return bool(lost.identity) and lost.identity == now.identity
