"""The wire itself: a listening socket, its connections, and the controls over them."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from stillhere.errors import LabError
from stillhere.lab.wire.commands import Command
from stillhere.lab.wire.connection import Bundle, Connection
from stillhere.lab.wire.conversation import Conversation, Stage, Tally
from stillhere.lab.wire.cuts import ArmedCut, Cut
from stillhere.lab.wire.loop import Loop

_BACKLOG = 128


@dataclass(frozen=True)
class ConnectionView:
    """What a wire knows of one connection, at one moment.

    Attributes:
        thread_id: the server's id of it, as in ``SHOW PROCESSLIST``; 0 before the greeting.
        port: the client's port.
        ready: it is past the handshake.
        in_flight: the command that the server hasn't fully answered.
        opaque: why packets can't be read, ``"TLS"`` or ``"compression"``; then `ready` and `in_flight`
            can't be known and nothing of it is counted or cut.
        holed: a direction is a black hole, or the client is gone and the server doesn't know.
    """

    thread_id: int
    port: int
    ready: bool
    in_flight: Command | None
    opaque: str | None
    holed: bool


class Wire:
    """A TCP proxy on loopback in front of a server, to break connections with.

    It works from construction to `close`, and is its own context manager. Every control can be used from
    any thread at any time, and has taken effect when it returns.

    A server that refuses connections can't be passed on as such: the client's connection is accepted,
    then reset.

    Args:
        target_host: the server's address.
        target_port: the server's port.
        plain: take the offer of TLS and compression out of the server's greeting, so that clients that
            only prefer them stay readable.

    Attributes:
        host: where it listens, a loopback address.
        port: where it listens; the same throughout its life.
        target: address and port of the server.
    """

    def __init__(self, target_host: str, target_port: int, *, plain: bool = False) -> None:
        self.target = (socket.gethostbyname(target_host), target_port)
        self._plain = plain
        self._tally = Tally()
        self._opened = 0
        self._numbers = itertools.count(1)
        self._cuts: list[ArmedCut] = []
        self._listener = _bound("127.0.0.1", 0)
        self.host: str
        self.port: int
        self.host, self.port = self._listener.getsockname()
        self._refusing = True
        self._loop = Loop(f"wire-{self.port}")
        self._bundle = Bundle(self._loop)
        self._loop.start()
        self.refuse(refused=False)
        _WIRES.add(self)

    @property
    def round_trips(self) -> int:
        """Commands from clients after their handshake, without those that have no reply."""
        return self._tally.round_trips

    @property
    def commands(self) -> Counter[str]:
        """All commands from clients by their names in the protocol, such as ``COM_QUERY``."""
        return self._loop.call(lambda: Counter(self._tally.commands))

    @property
    def connections_opened(self) -> int:
        """Connections accepted since the counters were reset."""
        return self._opened

    @property
    def connections(self) -> tuple[ConnectionView, ...]:
        """The open connections, in the order in which they were opened."""
        return self._loop.call(lambda: tuple(_view(one) for one in self._bundle.connections))

    @property
    def delay(self) -> float:
        """Seconds that are added to each round trip; 0 at first. A new connection has three of them."""
        return self._bundle.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._bundle.delay = seconds

    def reset_counters(self) -> None:
        """Set `round_trips`, `commands` and `connections_opened` to nothing."""

        def clear() -> None:
            self._tally = Tally()
            self._opened = 0

        self._loop.call(clear)

    def reset_all(self) -> int:
        """Send an RST to both sides of every connection; the number of connections."""
        return self._each(Connection.reset)

    def half_close_all(self, *, client: bool = True, server: bool = False) -> int:
        """Send a FIN to one side of every connection, or to both; the number of connections.

        Args:
            client: to the client, as a server that closes. What the client sends is still forwarded.
            server: to the server, as a client that closes. What the server sends is still passed on.
        """
        return self._each(lambda one: one.half_close(client=client, server=server))

    def black_hole(self, *, to_server: bool = True, to_client: bool = True) -> int:
        """Silence the existing connections, as a firewall that has forgotten them; their number.

        Neither bytes nor FIN nor RST come through any more, in the given directions. New connections work.

        Args:
            to_server: nothing reaches the server.
            to_client: nothing reaches the client.
        """
        return self._each(lambda one: one.silence(up=to_server, down=to_client))

    def heal(self) -> int:
        """Reset what was silenced, and what cuts have left on the server; the number of connections."""
        return self._each(lambda one: one.reset() if one.holed else None, lambda one: one.holed)

    def refuse(self, refused: bool = True) -> None:
        """Begin or end an outage: reset every connection and refuse new ones (``ECONNREFUSED``)."""
        self._loop.call(self._close_door if refused else self._open_door)

    def cut(self, cut: Cut) -> ArmedCut:
        """Cut connections at a command, from now on; says how often, and can be disarmed."""
        armed = ArmedCut(cut)
        self._loop.call(lambda: self._cuts.append(armed))
        return armed

    def close(self) -> None:
        """Reset every connection, stop listening, and join the thread. Harmless when closed already."""
        with contextlib.suppress(LabError):  # closed already
            self._loop.call(self._close_door)
        self._loop.stop()
        self._listener.close()

    def abandon(self) -> None:
        """In a process forked from the wire's: let go of its sockets.

        An RST or a FIN is sent, and a port is free, only when nobody holds the socket any more.
        """
        self._loop.abandon()
        self._listener.close()
        for one in self._bundle.connections:
            one.client.socket.close()
            one.server.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _each(self, act: Callable[[Connection], object], picked: Callable[[Connection], bool] = lambda _: True) -> int:
        def act_on_all() -> int:
            chosen = [one for one in self._bundle.connections if picked(one)]
            for one in chosen:
                act(one)
            return len(chosen)

        return self._loop.call(act_on_all)

    def _open_door(self) -> None:
        if self._refusing:
            self._listener.listen(_BACKLOG)
            self._loop.selector.register(self._listener, selectors.EVENT_READ, self._on_knock)
            self._refusing = False

    def _close_door(self) -> None:
        if not self._refusing:
            self._loop.selector.unregister(self._listener)
            self._listener.close()
            self._listener = _bound(self.host, self.port)  # held but not listening: refuses
            self._refusing = True
        for one in list(self._bundle.connections):
            one.reset()

    def _on_knock(self, _mask: int) -> None:
        try:
            client, _address = self._listener.accept()
        except OSError:
            return  # the client has gone again
        self._opened += 1
        talk = Conversation(self._count, self._chosen, plain=self._plain, connection=next(self._numbers))
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            one = Connection(self._bundle, client, server, talk)
        except OSError:  # the client has gone again
            client.close()
            server.close()
            return
        one.dial(self.target)

    def _count(self, command: Command) -> None:
        self._tally.add(command)

    def _chosen(self, command: Command) -> ArmedCut | None:
        if not self._cuts:
            return None
        self._cuts = [armed for armed in self._cuts if armed.armed]
        return next((armed for armed in self._cuts if armed.chooses(command)), None)


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(0)
    sock.bind((host, port))
    return sock


def _view(one: Connection) -> ConnectionView:
    talk = one.conversation
    return ConnectionView(
        talk.thread_id, one.port, talk.stage is Stage.COMMANDS, talk.in_flight, talk.opaque, one.holed
    )


_WIRES: weakref.WeakSet[Wire] = weakref.WeakSet()


def _abandon_all() -> None:
    for wire in list(_WIRES):
        wire.abandon()


os.register_at_fork(after_in_child=_abandon_all)
