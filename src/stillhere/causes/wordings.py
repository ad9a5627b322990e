"""Errors that a driver gives without their number, known by their words.

A number always wins, and this is asked only where there is none: MariaDB's connector drops it at times, and the drivers
of other languages have errors of their own for a lost connection. The words are those of the client libraries and
drivers themselves, in the spellings of both families.
"""

from __future__ import annotations

from stillhere.server import errorcodes

__all__ = ["code_by_words"]

_WORDS = (
    ("server has gone away", "CR_SERVER_GONE_ERROR"),
    ("disconnected by the server because of inactivity", "ER_CLIENT_INTERACTION_TIMEOUT"),
    ("lost connection to mysql server during query", "CR_SERVER_LOST"),
    ("lost connection to server during query", "CR_SERVER_LOST"),
    ("connection lost: the server closed the connection", "CR_SERVER_LOST"),  # mysqljs and mysql2 of Node.js
    ("read econnreset", "CR_SERVER_LOST"),
    ("communications link failure", "CR_SERVER_LOST_EXTENDED"),  # Connector/J, for sending and reading alike
    ("driver: bad connection", "CR_SERVER_GONE_ERROR"),  # Go: found dead before it was used
    ("closing bad idle connection", "CR_SERVER_GONE_ERROR"),
    ("invalid connection", "CR_SERVER_LOST"),  # go-sql-driver
)


def code_by_words(message: str) -> int | None:
    """The number that an error of these words has elsewhere; ``None`` for words that say nothing of a connection."""
    lowered = message.lower()
    return next((errorcodes.number(symbol) for words, symbol in _WORDS if words in lowered), None)
