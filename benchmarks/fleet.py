"""How long an exporter takes for a fleet: ``python -m benchmarks.fleet``.

Simulated servers on loopback in a process of their own, with the number of rows that real ones answer; the exporter in
another; Prometheus is played by this one. A share of the servers is frozen, as in a bad hour.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from benchmarks.place import place
from stillhere.testing.wire_server import Answer, WireServers

_PAIRS = ("Variable_name", "Value")
_HOST_COLUMNS = (
    "ip", "host", "sum_connect_errors", "count_host_blocked_errors", "name_errors", "count_handshake_errors",
    "count_authentication_errors",
)  # fmt: skip
_SESSIONS = 100
_ANSWERS = {
    "SELECT VERSION()": Answer(("version", "now", "id"), [("8.4.0", "2026-05-05 01:02:03.000000", "7")]),
    "SHOW GLOBAL VARIABLES": Answer(
        _PAIRS,
        [(f"variable_{n}", str(n)) for n in range(12)]
        + [("wait_timeout", "600"), ("max_connections", "500"), ("performance_schema", "ON")],
    ),
    "SHOW GLOBAL STATUS": Answer(_PAIRS, [("Uptime", "3600"), *((f"Counter_{n}", str(n)) for n in range(16))]),
    "SHOW FULL PROCESSLIST": Answer(
        ("Id", "User", "Host", "db", "Command", "Time", "State", "Info"),
        [
            (str(n), f"app{n % 5}", f"10.0.{n % 7}.1:{n}", "shop", "Sleep", str(n * 3), "", None)
            for n in range(8, 8 + _SESSIONS)
        ],
    ),
    "SELECT trx_mysql_thread_id": Answer(
        ("id", "seconds", "state", "modified", "locked", "statement"), [("8", "6.5", "RUNNING", "1", "1", None)]
    ),
    "SELECT ip, host": Answer(_HOST_COLUMNS, [("10.0.0.9", None, "6", "0", "0", "6", "0")]),
}


def main() -> int:
    """Scrape the whole fleet a few times, as Prometheus would within one interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--frozen", type=int, default=10, help="how many of them say nothing")
    parser.add_argument("--driver", default="mysqldb", help="mysqldb or pymysql")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--interval", type=float, default=15.0, help="seconds of a scrape interval")
    options = parser.parse_args()
    with _fleet(options.servers, options.frozen) as addresses, _exporter(addresses, options.driver) as base:
        rounds = [asyncio.run(_scrape(base, addresses, options.interval)) for _ in range(options.rounds)]
    healthy = options.servers - options.frozen
    for taken, up, slowest in rounds:
        print(f"{options.servers} servers ({options.frozen} frozen): {taken:.1f} s, {up} up, slowest {slowest:.2f} s")
    print(f"median {statistics.median(taken for taken, _, _ in rounds):.1f} s with {options.driver}")
    for name, value in place([]).items():
        print(f"{name}: {value}")
    kept = all(taken <= options.interval and up == healthy for taken, up, _ in rounds)
    return 0 if kept else 1


async def _scrape(base: str, addresses: list[str], interval: float) -> tuple[float, int, float]:
    """Each target at its own moment of the interval, as Prometheus spreads them."""
    began = time.monotonic()
    limits = httpx.Limits(max_connections=200)
    spread = interval * 0.6

    async def one(client: httpx.AsyncClient, number: int, address: str) -> tuple[bool, float]:
        await asyncio.sleep(spread * number / len(addresses))
        sent = time.monotonic()
        response = await client.get(
            "/probe", params={"target": address}, headers={"X-Prometheus-Scrape-Timeout-Seconds": "5"}
        )
        return "stillhere_up 1.0" in response.text, time.monotonic() - sent

    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=interval) as client:
        found = await asyncio.gather(*(one(client, number, address) for number, address in enumerate(addresses)))
    return time.monotonic() - began, sum(up for up, _ in found), max(seconds for up, seconds in found if up)


@contextmanager
def _fleet(count: int, frozen: int) -> Iterator[list[str]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, count, frozen), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join(30)


def _serve(pipe: Connection, count: int, frozen: int) -> None:
    with WireServers(_ANSWERS, count=count) as servers:
        for number in range(frozen):
            servers[number * (count // max(1, frozen))].frozen = True
        pipe.send([f"{servers[number].host}:{servers[number].port}" for number in range(count)])
        pipe.recv()


@contextmanager
def _exporter(addresses: list[str], driver: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "targets.toml"
        tables = [f'[targets."{address}"]\nurl = "mysql+{driver}://monitor:x@{address}/"' for address in addresses]
        file.write_text("\n".join(tables), encoding="utf-8")
        command = [sys.executable, "-m", "stillhere.cli.main", "export", "--targets", str(file)]
        command += ["--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - written above
            said = process.stderr.readline() if process.stderr is not None else ""
            try:
                yield said.split("/metrics", maxsplit=1)[0]
            finally:
                process.terminate()


if __name__ == "__main__":
    sys.exit(main())
