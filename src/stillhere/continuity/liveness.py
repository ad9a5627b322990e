"""Is the physical connection still good? Answered without sending anything."""

from __future__ import annotations

import os
import select
import socket

from stillhere.continuity.verdict import Liveness

__all__ = ["BLIND", "Blind", "Peek"]

_ALIVE, _DEAD = Liveness.ALIVE, Liveness.DEAD  # looked up once: at each checkout this is asked


class Peek:
    """Looks at one socket for anything readable.

    Between a reply and the next statement the server has nothing to say. So an end of file, a reset or
    any byte at all means that the connection is over. ``poll(2)`` shows all three without reading, for
    less than a microsecond, and leaves the driver's socket and its flags untouched; under TLS too, since
    the server's TLS 1.3 session tickets have been read by the time that the first reply is.

    Args:
        descriptor: the driver's own descriptor. It must not be looked at after the driver closed it,
            since its number may by then be another file's.
    """

    __slots__ = ("_descriptor", "_poll")

    def __init__(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLPRI)
        self._poll = poll.poll
        self._descriptor = descriptor

    def look(self) -> Liveness:
        """ALIVE where nothing is readable, else DEAD."""
        return _DEAD if self._poll(0) else _ALIVE

    def last_words(self) -> bytes:
        """What the server said unasked before it closed, at most 512 bytes, still in the socket.

        Only for a connection already found DEAD: making a socket object over a duplicate descriptor can
        change the mode of the driver's own.
        """
        try:
            with socket.socket(fileno=os.dup(self._descriptor)) as duplicate:
                return duplicate.recv(512, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return b""


class Blind:
    """Stands in where there is no descriptor to look at."""

    __slots__ = ()

    def look(self) -> Liveness:
        """Always UNKNOWN: never a guess."""
        return Liveness.UNKNOWN

    def last_words(self) -> bytes:
        """Nothing was heard."""
        return b""


BLIND = Blind()
