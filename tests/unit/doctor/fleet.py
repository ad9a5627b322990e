"""A fleet of simulated servers on loopback, as a program: enough of the protocol to be looked at, and no more.

Reads a JSON object of kind to number from its first argument, prints the port of each server by kind, and runs until
its stdin ends. Kinds: ``healthy``, ``faulty`` (a short wait_timeout), ``slow``, ``frozen`` (accepts and never speaks),
``rude`` (hangs up in mid-handshake), ``foreign`` (speaks another protocol), ``odd`` (lacks tables), ``full`` (refuses
with 1040).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from pathlib import Path

DEFAULTS = Path(__file__).parents[2] / "cases/doctor/defaults/mariadb.json"
CAPABILITIES = 0x00000001 | 0x00000008 | 0x00000200 | 0x00002000 | 0x00008000 | 0x00080000
OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"
SLOW_SECONDS = 0.1


def text(value: str | None) -> bytes:
    if value is None:
        return b"\xfb"
    raw = value.encode()
    return (bytes([len(raw)]) if len(raw) < 251 else b"\xfc" + len(raw).to_bytes(2, "little")) + raw


def column(name: str) -> bytes:
    names = text("def") + text("") * 3 + text(name) + text("")
    return names + b"\x0c\x2d\x00\xff\xff\x00\x00\xfd\x00\x00\x00\x00\x00"


def result(names: list[str], rows: list[list[str | None]]) -> list[bytes]:
    body = [b"".join(map(text, row)) for row in rows]
    return [bytes([len(names)]), *map(column, names), EOF, *body, EOF]


def stream(packets: list[bytes], first: int) -> bytes:
    return b"".join(
        len(body).to_bytes(3, "little") + bytes([(first + place) % 256]) + body for place, body in enumerate(packets)
    )


class Simulated:
    """One server's answers."""

    def __init__(self, kind: str) -> None:
        found = json.loads(DEFAULTS.read_text(encoding="utf-8"))
        self.kind = kind
        self.delay = SLOW_SECONDS if kind == "slow" else 0.0
        changes = {"faulty": {"wait_timeout": "20"}, "odd": {"performance_schema": "ON"}}.get(kind, {})
        pairs = {
            "GLOBAL VARIABLES": found["variables"] | changes,
            "SESSION VARIABLES": found["variables"] | changes,
            "GLOBAL STATUS": found["status"],
        }
        self.pairs = {
            what: stream(result(["Variable_name", "Value"], [list(pair) for pair in values.items()]), 1)
            for what, values in pairs.items()
        }

    def answer(self, sql: str) -> bytes:
        shown = re.match(r"SHOW (GLOBAL VARIABLES|SESSION VARIABLES|GLOBAL STATUS)$", sql)
        if shown:
            return self.pairs[shown[1]]
        if self.kind == "odd" and "performance_schema." in sql:
            return stream([b"\xff\x7a\x04#42S02no such table"], 1)
        if "VERSION() AS version" in sql:
            row = ["10.11.14-MariaDB", "2026-03-01 12:00:00.000000", "7"]
            return stream(result(["version", "now", "id"], [row]), 1)
        if "CURRENT_USER() AS account" in sql:
            return stream(result(["account"], [["app@%"]]), 1)
        if sql.startswith(("SELECT", "SHOW")):
            return stream(result(["nothing"], []), 1)
        return stream([OK], 1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.kind == "frozen":
            await reader.read()
            return
        if self.kind == "foreign":
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return
        if self.kind == "full":
            writer.write(stream([b"\xff\x10\x04#08004Too many connections"], 0))
            return
        lower, upper = (CAPABILITIES & 0xFFFF).to_bytes(2, "little"), (CAPABILITIES >> 16).to_bytes(2, "little")
        hello = b"\x0a5.5.5-10.11.14-MariaDB\x00\x07\x00\x00\x00abcdefgh\x00" + lower + b"\x2d\x02\x00" + upper
        writer.write(stream([hello + b"\x15" + bytes(10) + b"ijklmnopqrst\x00mysql_native_password\x00"], 0))
        await self._packet(reader)
        if self.kind == "rude":
            return
        writer.write(stream([OK], 2))
        while command := await self._packet(reader):
            if command[0] == 1:
                return
            await asyncio.sleep(self.delay)
            writer.write(self.answer(command[1:].decode()) if command[0] == 3 else stream([OK], 1))

    async def _packet(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(4)
        return await reader.readexactly(int.from_bytes(head[:3], "little"))


async def main(wanted: dict[str, int]) -> None:
    ports: dict[str, list[int]] = {}
    async with contextlib.AsyncExitStack() as stack:
        for kind, count in wanted.items():
            one = Simulated(kind)
            for _ in range(count):
                server = await stack.enter_async_context(await asyncio.start_server(one.serve, "127.0.0.1", 0))
                ports.setdefault(kind, []).append(server.sockets[0].getsockname()[1])
        print(json.dumps(ports), flush=True)  # noqa: T201 - that is how it answers
        await asyncio.to_thread(sys.stdin.read)
    sys.exit(0)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
