"""Is the physical connection still good? Answered without sending anything."""

from __future__ import annotations

import errno
import os
import select
import socket
from typing import NamedTuple

from stillhere.continuity.verdict import Liveness

__all__ = ["BLIND", "Blind", "Ending", "Peek"]

_ALIVE, _DEAD = Liveness.ALIVE, Liveness.DEAD  # looked up once: at each checkout this is asked


class Ending(NamedTuple):
    """How a connection ended, as its socket shows.

    Attributes:
        words: what the other side said unasked, at most 512 bytes.
        os_error: the operating system's error number, where reading ends in one.
        hangup: ``"FIN"`` for an end of file, ``"RST"`` for a reset, empty where the socket doesn't show it.
    """

    words: bytes = b""
    os_error: int | None = None
    hangup: str = ""


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
        """What the server said unasked before it closed, at most 512 bytes, still in the socket."""
        return self.ending().words

    def ending(self) -> Ending:
        """How the connection ended.

        Only for a connection already found DEAD: making a socket object over a duplicate descriptor can
        change the mode of the driver's own.
        """
        try:
            with socket.socket(fileno=os.dup(self._descriptor)) as duplicate:
                return _ending(duplicate)
        except OSError:
            return Ending()


def _ending(sock: socket.socket) -> Ending:
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLRDHUP)
    flags = dict(poll.poll(0)).get(sock.fileno(), 0)
    try:
        words = sock.recv(512, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return Ending()
    except OSError as error:
        return Ending(os_error=error.errno, hangup="RST" if error.errno == errno.ECONNRESET else "")
    # A reset that comes behind an end of file, or behind words, is no error to who reads; the flag is there.
    return Ending(words, hangup="RST" if flags & select.POLLERR else "FIN" if flags & select.POLLRDHUP else "")


class Blind:
    """Stands in where there is no descriptor to look at."""

    __slots__ = ()

    def look(self) -> Liveness:
        """Always UNKNOWN: never a guess."""
        return Liveness.UNKNOWN

    def last_words(self) -> bytes:
        """Nothing was heard."""
        return b""

    def ending(self) -> Ending:
        """Nothing is known."""
        return Ending()


BLIND = Blind()
