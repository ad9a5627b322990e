"""One client's connection through a wire: two sockets, and what happens to the bytes between them.

Everything here runs in the wire's own thread, so there is no lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import selectors
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from stillhere.lab.wire.conversation import Conversation, Ruling
from stillhere.lab.wire.cuts import ArmedCut, By
from stillhere.lab.wire.loop import Loop

_CHUNK = 262_144
_FULL = 1_048_576  # bytes waiting in one direction at which the source is read no further
_UNSENT = 0x894B  # SIOCOUTQNSD of Linux: bytes in the kernel that haven't left yet
_UNSENT_CHECK = 0.0005
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER of 0 seconds: closing sends an RST


class _Fin:
    """Stands in a queue of bytes for the end of the stream."""


_FIN = _Fin()


@dataclass(eq=False)
class Bundle:
    """All connections of one wire.

    Attributes:
        loop: what runs them.
        delay: seconds that each command is held back.
        connections: those that are open, in the order in which they were opened.
    """

    loop: Loop
    delay: float = 0.0
    connections: dict[Connection, None] = field(default_factory=dict)


@dataclass(eq=False)
class _Waiting:
    due: float
    what: memoryview | ArmedCut | _Fin


class End:
    """One socket of a connection, the client's or the server's."""

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self.open = True
        self._loop = loop
        self._watched = 0
        self._handler: Callable[[int], None] | None = None

    def watch(self, mask: int, handler: Callable[[int], None]) -> None:
        """Call the handler at these events from now on; at none for a mask of 0."""
        if not self.open or mask == self._watched:
            return
        if not self._watched:
            self._loop.selector.register(self.socket, mask, handler)
        elif mask:
            self._loop.selector.modify(self.socket, mask, handler)
        else:
            self._loop.selector.unregister(self.socket)
        self._watched = mask

    def delivered(self) -> bool:
        """Whether the peer's kernel has all that was sent; an RST would overtake what it hasn't."""
        if not self.open or sys.platform != "linux":
            return True
        unsent = bytearray(4)
        fcntl.ioctl(self.socket, _UNSENT, unsent)
        return not any(unsent)

    def finish(self) -> None:
        """Send a FIN; nothing where the peer is gone."""
        if self.open:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool) -> None:
        """Close the socket, with an RST or in the normal way."""
        if not self.open:
            return
        self.watch(0, lambda _: None)
        self.open = False
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.socket.close()


class Flow:
    """One direction of a connection.

    Attributes:
        ended: its source has sent its FIN.
        silenced: a black hole: nothing is read from its source any more, not even its FIN.
        muted: what its source sends is read and thrown away.
    """

    def __init__(
        self,
        connection: Connection,
        source: End,
        sink: End,
        judge: Callable[[bytes], Ruling],
    ) -> None:
        self.source = source
        self.sink = sink
        self.ended = False
        self.silenced = False
        self.muted = False
        self._connection = connection
        self._judge = judge
        self._queue: deque[_Waiting] = deque()
        self._size = 0

    @property
    def reading(self) -> bool:
        """Whether to read from the source."""
        return not (self.ended or self.silenced or self._size >= _FULL)

    @property
    def writing(self) -> bool:
        """Whether bytes wait for the sink to take them, and for nothing else."""
        return bool(self._queue) and self.sink.open and self._queue[0].due <= time.monotonic()

    def read(self, delay: float) -> None:
        """Take what the source has sent."""
        try:
            chunk = self.source.socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        if not chunk:
            self.ended = True
            self._push(_FIN, delay)
        elif self.muted or not self.sink.open:
            return
        else:
            data, cut = self._judge(chunk)
            if data:
                self._push(memoryview(data), delay)
            if cut:
                self.muted = True
                self._push(cut, delay)

    def silence(self) -> None:
        """Become a black hole, for good."""
        self.silenced = True
        self._queue.clear()
        self._size = 0

    def flush(self) -> None:
        """Hand on what is due."""
        queue = self._queue
        while queue:
            head = queue[0]
            if head.due and head.due > time.monotonic():
                self._connection.flush_at(head.due)
                return
            if isinstance(head.what, memoryview):
                sent = self._send(head.what)
                self._size -= sent
                if sent < len(head.what):
                    head.what = head.what[sent:]
                    return
            queue.popleft()
            if isinstance(head.what, ArmedCut):
                self._connection.cut(head.what)
                return
            if isinstance(head.what, _Fin):
                self._connection.finish(self)

    def _send(self, data: memoryview) -> int:
        if not self.sink.open:
            return len(data)
        try:
            return self.sink.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0

    def _push(self, what: memoryview | ArmedCut | _Fin, delay: float) -> None:
        due = time.monotonic() + delay if delay else 0.0
        if self._queue:
            due = max(due, self._queue[-1].due)
        self._queue.append(_Waiting(due, what))
        if isinstance(what, memoryview):
            self._size += len(what)


class Connection:
    """One client's connection and the one to the server that it stands for.

    Attributes:
        conversation: what was understood of it.
        up: the direction to the server.
        down: the direction to the client.
        ghost: the client's side is gone, the server's is kept open.
    """

    def __init__(self, bundle: Bundle, client: socket.socket, server: socket.socket, talk: Conversation) -> None:
        self._bundle = bundle
        self.conversation = talk
        self.port: int = client.getpeername()[1]
        self.ghost = False
        self.client = End(client, bundle.loop)
        self.server = End(server, bundle.loop)
        self.up = Flow(self, self.client, self.server, talk.from_client)
        self.down = Flow(self, self.server, self.client, talk.from_server)
        self._dialled = False
        self._alarm = 0.0
        bundle.connections[self] = None  # last: an error on the way here leaves nothing behind

    def dial(self, target: tuple[str, int]) -> None:
        """Begin to connect to the server; the client is read when that has worked."""
        problem = self.server.socket.connect_ex(target)
        if problem in (0, errno.EINPROGRESS):
            self.server.watch(selectors.EVENT_WRITE, self._on_dialled)
        else:
            self.reset()

    @property
    def holed(self) -> bool:
        """Whether a direction is a black hole, or only the server's side is left."""
        return self.up.silenced or self.down.silenced or self.ghost

    def reset(self) -> None:
        """RST to both sides."""
        self.client.close(reset=True)
        self.server.close(reset=True)
        self._bundle.connections.pop(self, None)

    def half_close(self, *, client: bool, server: bool) -> None:
        """FIN to either side; the other direction goes on."""
        for flow, wanted in ((self.down, client), (self.up, server)):
            if wanted:
                flow.muted = True
                flow.sink.finish()
        self._settle()

    def silence(self, *, up: bool, down: bool) -> None:
        """Make black holes of directions."""
        if up:
            self.up.silence()
        if down:
            self.down.silence()
        self._settle()

    def cut(self, armed: ArmedCut) -> None:
        """Do what a cut orders, as soon as all that was passed on before it has arrived."""
        self.up.muted = self.down.muted = True
        if not (self.client.delivered() and self.server.delivered()):
            self._bundle.loop.call_at(time.monotonic() + _UNSENT_CHECK, lambda: self.cut(armed))
            return
        armed.struck()
        self.ghost = armed.cut.ghost
        if armed.cut.by is By.RST:
            self.client.close(reset=True)
        else:
            self.client.finish()
        if not self.ghost:
            self.server.close(reset=True)
        self._settle()

    def finish(self, flow: Flow) -> None:
        """A source's FIN has come through: pass it on."""
        if not flow.muted:
            flow.sink.finish()
        if self.up.ended and self.down.ended:
            self.client.close(reset=False)
            self.server.close(reset=False)
        elif not flow.sink.open:
            flow.source.close(reset=False)

    def flush(self) -> None:
        """Hand on what is due in both directions."""
        self._guarded(self.down.flush, self.client)
        self._guarded(self.up.flush, self.server)
        self._settle()

    def flush_at(self, due: float) -> None:
        """Hand on what is due at that time of the monotonic clock."""
        if due != self._alarm:
            self._alarm = due
            self._bundle.loop.call_at(due, self.flush)

    def _on_dialled(self, _mask: int) -> None:
        problem = self.server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.server.watch(0, self._on_dialled)
        if problem:
            self.reset()
            return
        self._dialled = True
        self._settle()

    def _on_client(self, mask: int) -> None:
        self._on_event(mask, self.up, self.down, self._bundle.delay)

    def _on_server(self, mask: int) -> None:
        # A new connection costs three round trips: two before the greeting, and its answer's own.
        delay = 0.0 if self.conversation.thread_id else self._bundle.delay * 2
        self._on_event(mask, self.down, self.up, delay)

    def _on_event(self, mask: int, source: Flow, sink: Flow, delay: float) -> None:
        if mask & selectors.EVENT_READ and source.reading:
            self._guarded(lambda: source.read(delay), source.source)
            if source is self.up and self.down.ended and not source.ended:
                self._broken(self.server)  # it has closed its socket: whoever sends to that gets an RST
            self._guarded(source.flush, source.sink)
        if mask & selectors.EVENT_WRITE:
            self._guarded(sink.flush, sink.sink)
        self._settle()

    def _guarded(self, step: Callable[[], None], end: End) -> None:
        try:
            step()
        except OSError:
            self._broken(end)

    def _broken(self, end: End) -> None:
        """A side is gone without a FIN: so is the other, unless a black hole hides it."""
        away = self.up if end is self.client else self.down
        end.close(reset=True)
        if away.silenced:
            self.ghost = end is self.client
        else:
            away.sink.close(reset=True)

    def _settle(self) -> None:
        """Watch for what can come next; forget the connection when that is nothing."""
        if not (self.client.open or self.server.open):
            self._bundle.connections.pop(self, None)
        elif self._dialled:
            self.client.watch(_mask(self.up, self.down), self._on_client)
            self.server.watch(_mask(self.down, self.up), self._on_server)


def _mask(source: Flow, sink: Flow) -> int:
    return (selectors.EVENT_READ if source.reading else 0) | (selectors.EVENT_WRITE if sink.writing else 0)
