"""Many servers that speak MySQL's protocol on loopback and answer from a table: for what looks at fleets.

They know nothing of SQL, take every password, and are as slow, frozen or refusing as they are told to be. One thread
serves them all::

    with WireServers(answers, count=200) as servers:
        servers[7].frozen = True
        look_at(servers[7].host, servers[7].port)

Protocol: "Connection Phase" and "Command Phase" of the MySQL internals manual.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

__all__ = ["Answer", "WireServer", "WireServers"]

_GREETING_CAPABILITIES = 0x000F_A20F | 1 << 19  # protocol 4.1, secure authentication, plugins, schema at connect
_PLUGIN = b"mysql_native_password\0"
_QUIT, _QUERY, _PING = 1, 3, 14
_AUTOCOMMIT = 2
_UTF8MB4, _TEXT = 45, 253
_PER_NETWORK = 250


@dataclass(frozen=True)
class Answer:
    """One result set: names of columns, and rows of texts or None. ``code`` instead makes it an error packet."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str | None]] = ()
    code: int = 0
    message: str = ""


@dataclass
class WireServer:
    """One server of a fleet.

    Attributes:
        host: an address of the loopback network.
        port: the same for all.
        answers: by the start of the statement; the longest start that fits counts. What fits none is answered "OK".
        version: as the greeting says it.
        delay: seconds before each answer.
        frozen: accepts connections and never says a word to those who come from then on.
        refusal: error number instead of a greeting; 0 for none.
        logins: how often somebody logged in.
        goodbyes: how often somebody said COM_QUIT.
        hung_up: how often somebody left without.
    """

    host: str
    port: int
    answers: Mapping[str, Answer]
    version: str = "8.4.0"
    delay: float = 0.0
    frozen: bool = False
    refusal: int = 0
    logins: int = 0
    goodbyes: int = 0
    hung_up: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up += 1
        except asyncio.CancelledError:
            pass  # the fleet is being closed; asyncio would complain of it on standard error
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.frozen:
            await self._keep_silent(reader)
            return
        if self.refusal:
            _send(writer, 0, _error(self.refusal, "refused"))
            return
        _send(writer, 0, self._greeting())
        sequence, _ = await _receive(reader)
        self.logins += 1
        _send(writer, sequence + 1, _OK)
        while True:
            _, packet = await _receive(reader)
            if packet[0] == _QUIT:
                self.goodbyes += 1
                return
            await asyncio.sleep(self.delay)
            self._reply(writer, packet)
            await writer.drain()

    async def _keep_silent(self, reader: asyncio.StreamReader) -> None:
        """Until the client gives up."""
        while await reader.read(4096):
            pass

    def _reply(self, writer: asyncio.StreamWriter, packet: bytes) -> None:
        text = packet[1:].decode("utf-8", "replace") if packet[0] == _QUERY else ""
        fitting = [start for start in self.answers if text.startswith(start)]
        answer = self.answers[max(fitting, key=len)] if fitting else None
        if answer is None:
            _send(writer, 1, _OK)
        elif answer.code:
            _send(writer, 1, _error(answer.code, answer.message))
        else:
            for number, one in enumerate(_result(answer), 1):
                _send(writer, number, one)

    def _greeting(self) -> bytes:
        salt = b"12345678abcdefghijkl"
        capabilities = _GREETING_CAPABILITIES.to_bytes(4, "little")
        return (
            b"\x0a" + self.version.encode() + b"\0" + (7).to_bytes(4, "little") + salt[:8] + b"\0" + capabilities[:2]
            + bytes([_UTF8MB4]) + _AUTOCOMMIT.to_bytes(2, "little") + capabilities[2:] + bytes([len(salt) + 1])
            + b"\0" * 10 + salt[8:] + b"\0" + _PLUGIN
        )  # fmt: skip


class WireServers:
    """A fleet, from entering to leaving the ``with`` block.

    Args:
        answers: of all of them, as in `WireServer`.
        count: how many; each has an address of its own in 127.0.0.0/8 and all have the same port.
    """

    def __init__(self, answers: Mapping[str, Answer], count: int = 1) -> None:
        self._answers = answers
        self._count = count
        self._loop = asyncio.new_event_loop()
        self._servers: list[WireServer] = []
        self._listeners: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire-servers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def __getitem__(self, index: int) -> WireServer:
        return self._servers[index]

    def __len__(self) -> int:
        return len(self._servers)

    async def _listen(self) -> None:
        port = 0
        for number in range(self._count):
            host = f"127.0.{number // _PER_NETWORK}.{number % _PER_NETWORK + 1}"
            server = WireServer(host, port, self._answers)
            listener = await asyncio.start_server(server.serve, host, port, backlog=64)
            port = server.port = listener.sockets[0].getsockname()[1]
            self._servers.append(server)
            self._listeners.append(listener)

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        tasks = [task for server in self._servers for task in tuple(server._tasks)]  # noqa: SLF001 - the same module
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_OK = b"\0\0\0" + _AUTOCOMMIT.to_bytes(2, "little") + b"\0\0"
_END = b"\xfe\0\0" + _AUTOCOMMIT.to_bytes(2, "little")


def _send(writer: asyncio.StreamWriter, sequence: int, body: bytes) -> None:
    writer.write(len(body).to_bytes(3, "little") + bytes([sequence % 256]) + body)


async def _receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(4)
    return head[3], await reader.readexactly(int.from_bytes(head[:3], "little"))


def _error(code: int, message: str) -> bytes:
    return b"\xff" + code.to_bytes(2, "little") + b"#HY000" + message.encode()


def _result(answer: Answer) -> list[bytes]:
    """Count of columns, columns, end, rows, end."""
    columns = [
        b"".join(_text(part) for part in ("def", "", "", "", name, name))
        + b"\x0c" + bytes([_UTF8MB4, 0]) + (1024).to_bytes(4, "little") + bytes([_TEXT]) + b"\0\0\0\0\0"
        for name in answer.columns
    ]  # fmt: skip
    rows = [b"".join(b"\xfb" if value is None else _text(value) for value in row) for row in answer.rows]
    return [bytes([len(columns)]), *columns, _END, *rows, _END]


def _text(text: str) -> bytes:
    """A length-encoded string."""
    data = text.encode()
    if len(data) < 251:  # noqa: PLR2004 - the protocol's own bound for one byte
        return bytes([len(data)]) + data
    return b"\xfc" + len(data).to_bytes(2, "little") + data
