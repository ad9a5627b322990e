"""What two peers say to each other on one connection. No sockets here: bytes in, bytes out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from stillhere.lab.wire import handshake
from stillhere.lab.wire.commands import KEPT, Command
from stillhere.lab.wire.cuts import ArmedCut, When
from stillhere.lab.wire.handshake import Capability
from stillhere.lab.wire.packets import FULL, Packet, PacketStream
from stillhere.lab.wire.replies import Part, Reply

_GREETING = 256  # bytes that a greeting's capabilities lie within
_REPLY = 32  # bytes that a reply's kind, counts and status lie within
_OK, _ERR = 0x00, 0xFF

Ruling = tuple[bytes, ArmedCut | None]
"""Bytes to pass on, and then the cut to make, if any."""


_Stop = tuple[int, ArmedCut]  # cut when all bytes up to this offset have been passed on


class Stage(Enum):
    """How far a connection has come."""

    GREETING = auto()
    RESPONSE = auto()
    AUTHENTICATION = auto()
    COMMANDS = auto()
    OPAQUE = auto()


@dataclass
class Exchange:
    """A command that the server hasn't fully answered."""

    command: Command
    reply: Reply
    cut: ArmedCut | None = None


class Tally:
    """What a wire counts.

    Attributes:
        round_trips: commands that a server replies to.
        commands: all commands, by kind.
    """

    def __init__(self) -> None:
        self.round_trips = 0
        self.commands: Counter[str] = Counter()

    def add(self, command: Command) -> None:
        """Count one command."""
        self.commands[command.kind] += 1
        if command.answered:
            self.round_trips += 1


class Conversation:
    """The state of one connection's protocol.

    Attributes:
        stage: how far it has come.
        thread_id: the server's id of the connection; 0 until the greeting.
        opaque: why its packets can't be read, ``"TLS"`` or ``"compression"``; nothing if they can.

    Args:
        tally: where commands are counted.
        choose: says which cut, if any, a command meets.
        plain: take the offer of TLS and compression out of the server's greeting.
        connection: the wire's number of the connection.
    """

    def __init__(
        self,
        tally: Callable[[Command], None],
        choose: Callable[[Command], ArmedCut | None],
        *,
        plain: bool,
        connection: int = 0,
    ) -> None:
        self.stage = Stage.GREETING
        self.thread_id = 0
        self.opaque: str | None = None
        self._tally = tally
        self._choose = choose
        self._plain = plain
        self._connection = connection
        self._number = 0
        self._capabilities = 0
        self._open: deque[Exchange] = deque()
        self._client = PacketStream(KEPT)
        self._server = PacketStream(_GREETING)
        self._client_stop: _Stop | None = None
        self._server_stop: _Stop | None = None
        self._cut_behind: ArmedCut | None = None  # cut when the command's last packet has been forwarded

    @property
    def in_flight(self) -> Command | None:
        """The command that the server is to answer next."""
        return self._open[0].command if self._open else None

    def from_client(self, chunk: bytes) -> Ruling:
        """Take in bytes of the client."""
        stream = self._client
        stream.feed(chunk)
        while self.stage is not Stage.OPAQUE and (packet := stream.read()):
            cut = self._client_packet(packet)
            if cut:
                return stream.take(packet.offset), cut
        return self._passed(stream, self._client_stop)

    def from_server(self, chunk: bytes) -> Ruling:
        """Take in bytes of the server."""
        stream = self._server
        stream.feed(chunk)
        greeting = None
        while self.stage is not Stage.OPAQUE:
            if self._open and self._open[0].reply.part is Part.ROWS:
                stream.skip_rows()
            packet = stream.read()
            if packet is None:
                break
            if self.stage is Stage.GREETING:
                greeting = packet
                self._greeting(packet)
            elif self.stage is Stage.AUTHENTICATION:
                self._authentication(packet)
            elif self._open:
                cut = self._reply_packet(packet, self._open[0])
                if cut:
                    return stream.take(packet.offset), cut
        data, cut = self._passed(stream, self._server_stop)
        if greeting and self._plain:
            data = _without_tls(data, greeting)
        return data, cut

    def _passed(self, stream: PacketStream, stop: _Stop | None) -> Ruling:
        if self.stage is Stage.OPAQUE:
            return stream.drain(), None
        if stop and stop[0] <= stream.settled:
            return stream.take(stop[0]), stop[1]
        return stream.take(), None

    def _client_packet(self, packet: Packet) -> ArmedCut | None:
        """Take in a packet of the client; the cut to make instead of forwarding it."""
        cut = None
        if self.stage is Stage.RESPONSE:
            self._response(packet)
        elif self._begins_command(packet):
            cut = self._command(packet)
        if self._cut_behind and packet.length < FULL:
            self._client_stop = packet.end, self._cut_behind
            self._cut_behind = None
        return cut

    def _begins_command(self, packet: Packet) -> bool:
        if self.stage is not Stage.COMMANDS or packet.sequence or packet.continues:
            return False
        return not (self._open and self._open[0].reply.uploading)  # sequence numbers of uploads wrap around

    def _command(self, packet: Packet) -> ArmedCut | None:
        attributes = bool(self._capabilities & Capability.QUERY_ATTRIBUTES)
        self._number += 1
        command = Command.of(
            packet.prefix,
            attributes=attributes,
            connection=self._connection,
            number=self._number,
            thread_id=self.thread_id,
        )
        self._tally(command)
        cut = self._choose(command)
        when = cut.cut.when if cut else None
        if when is When.BEFORE:
            return cut
        if cut and when is When.HALF:
            self._client_stop = (packet.offset + packet.end) // 2, cut
        elif when is When.AFTER_FORWARD or (cut and not command.answered):
            self._cut_behind = cut
        if command.answered:
            short = bool(self._capabilities & Capability.DEPRECATE_EOF)
            self._open.append(Exchange(command, Reply(command, short=short), cut))
        return None

    def _reply_packet(self, packet: Packet, exchange: Exchange) -> ArmedCut | None:
        """Take in a packet of the server; the cut to make instead of passing it on."""
        cut = exchange.cut
        if cut and cut.cut.when is When.AFTER_EXECUTED:
            return cut
        if exchange.reply.packet(packet):
            self._open.popleft()
            if cut and cut.cut.when is When.AFTER_REPLY:
                self._server_stop = packet.end, cut
        return None

    def _greeting(self, packet: Packet) -> None:
        found = handshake.greeting(packet.prefix)
        if found:
            self.thread_id = found.thread_id
            self._capabilities = found.capabilities
            self.stage = Stage.RESPONSE

    def _response(self, packet: Packet) -> None:
        self._capabilities &= handshake.response(packet.prefix)
        self.stage = Stage.AUTHENTICATION
        if self._capabilities & Capability.SSL:  # what follows is a TLS handshake
            self._blind()

    def _authentication(self, packet: Packet) -> None:
        if packet.prefix[:1] == b"\0":
            self.stage = Stage.COMMANDS
            if handshake.opaque_reason(self._capabilities):
                self._blind()

    def _blind(self) -> None:
        self.stage = Stage.OPAQUE
        self.opaque = handshake.opaque_reason(self._capabilities)


def _without_tls(data: bytes, packet: Packet) -> bytes:
    """The greeting without the offer of TLS and compression."""
    found = handshake.greeting(packet.prefix)
    if not found:
        return data
    place = 4 + found.place
    lower = int.from_bytes(data[place : place + 2], "little") & ~(Capability.SSL | Capability.COMPRESS)
    upper = int.from_bytes(data[place + 5 : place + 7], "little") & ~(Capability.ZSTD >> 16)
    return (
        data[:place]
        + lower.to_bytes(2, "little")
        + data[place + 2 : place + 5]
        + upper.to_bytes(2, "little")
        + data[place + 7 :]
    )
