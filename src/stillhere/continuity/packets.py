"""The packet guard: a statement that the server would cut the connection for is not sent."""

from __future__ import annotations

from stillhere.errors import PacketTooLarge

__all__ = ["largest_statement", "too_large"]

# The command byte, and one more: a server refuses a packet as long as the limit itself.
# Tried on MariaDB 10.11 and MySQL 9.7 with both drivers.
_OVERHEAD = 2


def largest_statement(max_allowed_packet: int) -> int:
    """How many bytes of SQL the server accepts in one statement under that limit."""
    return max_allowed_packet - _OVERHEAD


def too_large(size: int, max_allowed_packet: int) -> PacketTooLarge:
    """The error for a statement of ``size`` bytes: both numbers, and what to change."""
    return PacketTooLarge(
        f"statement of {size} bytes exceeds the server's max_allowed_packet of {max_allowed_packet} bytes; "
        "nothing was sent, and the connection and its transaction go on. Split the statement, or raise the "
        "limit: SET GLOBAL max_allowed_packet (new connections only) and max_allowed_packet under [mysqld]"
    )
