"""How a connection begins: the server's greeting and the client's answer, as far as a wire needs them."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

_OLD = 9  # before 4.1 a response has two bytes of capabilities


class Capability(IntFlag):
    """The capabilities that change what follows on the wire."""

    COMPRESS = 1 << 5
    PROTOCOL_41 = 1 << 9
    SSL = 1 << 11
    DEPRECATE_EOF = 1 << 24
    ZSTD = 1 << 26
    QUERY_ATTRIBUTES = 1 << 27


class Greeting(NamedTuple):
    """The server's first packet.

    Attributes:
        thread_id: the connection's id, as in ``SHOW PROCESSLIST``.
        capabilities: what the server offers.
        place: the index in the body at which the lower two bytes of the capabilities stand.
    """

    thread_id: int
    capabilities: int
    place: int


def greeting(body: bytes) -> Greeting | None:
    """Read a greeting; nothing where the server refuses (an error packet) or speaks another protocol."""
    if not body or body[0] != 10:  # noqa: PLR2004 - protocol version 10, the only one in use
        return None
    after = body.find(b"\0", 1) + 1
    place = after + 4 + 8 + 1
    if not after or len(body) < place + 2:
        return None
    lower = int.from_bytes(body[place : place + 2], "little")
    upper = int.from_bytes(body[place + 5 : place + 7], "little")
    return Greeting(int.from_bytes(body[after : after + 4], "little"), upper << 16 | lower, place)


def response(body: bytes) -> int:
    """The capabilities that a client asks for in its answer to the greeting."""
    if len(body) < _OLD or not int.from_bytes(body[:2], "little") & Capability.PROTOCOL_41:
        return int.from_bytes(body[:2], "little")
    return int.from_bytes(body[:4], "little")


def opaque_reason(capabilities: int) -> str | None:
    """Why packets can't be read once the handshake is over, for these capabilities; nothing if they can."""
    if capabilities & Capability.SSL:
        return "TLS"
    if capabilities & (Capability.COMPRESS | Capability.ZSTD):
        return "compression"
    return None
