"""An error log of any size, as a busy server with careless clients writes it; the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

__all__ = ["STYLES", "write"]

_START = datetime(2026, 3, 1, tzinfo=UTC)
_BATCH = 10_000
_RESTART_EVERY = 97  # batches
_CRASH_EVERY = 331
_REASONS = (
    ("Got an error reading communication packets", 60),
    ("Got timeout reading communication packets", 30),
    ("Got timeout writing communication packets", 6),
    ("Got a packet bigger than 'max_allowed_packet' bytes", 4),
)
_DEADLOCK = """\
*** (1) TRANSACTION:
TRANSACTION {n}, ACTIVE 3 sec starting index read
mysql tables in use 1, locked 1
LOCK WAIT 3 lock struct(s), heap size 1128, 2 row lock(s)
UPDATE stock SET left_over = left_over - 1 WHERE id = {n}
RECORD LOCKS space id 31 page no 4 n bits 72 index PRIMARY of table `shop`.`stock` trx id {n} lock_mode X
Record lock, heap no 2 PHYSICAL RECORD: n_fields 5; compact format; info bits 0
 0: len 4; hex 80000001; asc     ;;
 1: len 6; hex 00000000{n:x}; asc       ;;
*** WE ROLL BACK TRANSACTION (1)
"""


_TEXTS = (
    (2000, ("Note", "010926"), "Access denied for user 'scan'@'10.9.8.7' (using password: YES)"),
    (
        2000,
        ("Warning", "013360"),
        "Plugin mysql_native_password reported: ''mysql_native_password' is deprecated and will be removed'",
    ),
    (1000, ("Warning", "010055"), "IP address '10.9.8.7' could not be resolved: Name or service not known"),
    (1000, ("Note", "011953", "InnoDB"), "Page cleaner took 4012ms to flush 2000 and evict 0 pages"),
    (1000, ("Warning", "010956"), "Invalid replication timestamps: original commit timestamp is more recent"),
    (500, ("Note", "010559", "Repl"), "Multi-threaded replica statistics for channel '': seconds elapsed = 120"),
    (200, ("ERROR", "010584", "Repl"), "Replica SQL for channel '': Worker 1 failed executing transaction"),
)


class _Mysql8:
    name = "MySQL 8"
    stop_mark = "."

    def head(self, at: datetime, thread: int, severity: str, code: str, component: str = "Server") -> str:
        return f"{at:%Y-%m-%dT%H:%M:%S.%fZ} {thread} [{severity}] [MY-{code}] [{component}] "

    def abort(self, at: datetime, thread: int, tail: str) -> str:
        """An aborted connection."""
        return f"{self.head(at, thread, 'Note', '010914')}Aborted connection {thread} {tail}"

    def knock(self, at: datetime, thread: int) -> str:
        """A port check, as the log has it."""
        return self.head(at, thread, "Note", "010914") + "Got an error reading communication packets\n"

    def sorts(self, dice: random.Random) -> Iterator[tuple[int, Callable[[datetime, int], str]]]:
        """Weights and makers of the lines."""
        for host, user in _clients(dice):
            for reason, weight in _REASONS:
                tail = f"to db: 'shop' user: '{user}' host: '{host}' ({reason}){self.stop_mark}\n"
                yield weight * 10, lambda at, n, tail=tail: self.abort(at, n, tail)
        for weight, parts, text in _TEXTS:
            yield weight, lambda at, n, parts=parts, text=text: f"{self.head(at, n, *parts)}{text}\n"
        yield 2400, self.knock
        found = "Transactions deadlock detected, dumping detailed information.\n" + _DEADLOCK
        yield 150, lambda at, n: self.head(at, 0, "Note", "012468", "InnoDB") + found.format(n=n)

    def start(self, at: datetime, n: int) -> str:
        return (
            self.head(at, 0, "System", "010116")
            + f"/usr/sbin/mysqld (mysqld 8.4.3) starting as process {n}\n"
            + self.head(at, 0, "System", "010931")
            + "/usr/sbin/mysqld: ready for connections. Version: '8.4.3'  socket: '/run/mysql.sock'  port: 3306  GPL\n"
        )

    def stop(self, at: datetime) -> str:
        return (
            self.head(at, 0, "System", "013172")
            + "Received SHUTDOWN from user root. Shutting down mysqld (Version: 8.4.3).\n"
            + self.head(at, 0, "System", "010910")
            + "/usr/sbin/mysqld: Shutdown complete (mysqld 8.4.3)  MySQL Community Server - GPL.\n"
        )

    def crash(self, at: datetime, n: int) -> str:
        return (
            f"{at:%Y-%m-%dT%H:%M:%SZ} UTC - mysqld got signal 11 ;\nThread pointer: 0x7f10\n"
            f" #0 0x7f11 JOIN::exec() at sql/sql_executor.cc:1\n"
            f"Query (7f12): SELECT * FROM t WHERE id = {n}\nConnection ID (thread ID): {n}\nStatus: NOT_KILLED\n\n"
        )


class _Mariadb(_Mysql8):
    name = "MariaDB"
    stop_mark = ""

    def knock(self, at: datetime, thread: int) -> str:
        return (
            self.head(at, thread, "Warning", "")
            + f"Aborted connection {thread} to db: 'unconnected' user: 'unauthenticated' host: '10.1.1.1' "
            "(This connection closed normally without authentication)\n"
        )

    def head(self, at: datetime, thread: int, severity: str, code: str, component: str = "Server") -> str:
        prefix = "InnoDB: " if component == "InnoDB" else ""
        severity = "Warning" if code == "010914" else severity
        return f"{at:%Y-%m-%d} {at.hour:2}:{at:%M:%S} {thread} [{severity}] {prefix}"

    def start(self, at: datetime, n: int) -> str:
        return (
            self.head(at, 0, "Note", "")
            + f"Starting MariaDB 11.8.2-MariaDB source revision 0123abc server_uid x= as process {n}\n"
            + self.head(at, 0, "Note", "")
            + "/usr/sbin/mariadbd: ready for connections.\n"
        )

    def stop(self, at: datetime) -> str:
        return (
            self.head(at, 0, "Note", "")
            + "/usr/sbin/mariadbd (initiated by: root[root] @ localhost []): Normal shutdown\n"
            + self.head(at, 0, "Note", "")
            + "/usr/sbin/mariadbd: Shutdown complete\n"
        )


class _Docker(_Mysql8):
    name = "MySQL 8 under Docker"


STYLES = {style.name: style for style in (_Mysql8(), _Mariadb(), _Docker())}


def write(out: BinaryIO, style: str, *, size: int = 0, lines: int = 0, seed: int = 1) -> tuple[int, int]:
    """Write a log until it has as many bytes, or lines, as asked for.

    Returns:
        its bytes and its lines.
    """
    dice = random.Random(seed)  # noqa: S311 - the same log each time is the point
    made = STYLES[style]
    weights, sorts = zip(*made.sorts(dice), strict=True)
    at, number, written, counted, batch = _START, 100, 0, 0, 0
    while written < size or counted < lines:
        parts = [made.start(at, batch + 1)] if batch == 0 else []
        if batch and batch % _CRASH_EVERY == 0:
            parts += [made.crash(at, number), made.start(at, batch)]
        elif batch and batch % _RESTART_EVERY == 0:
            parts += [made.stop(at), made.start(at, batch)]
        for sort in dice.choices(sorts, weights, k=_BATCH):
            at += timedelta(microseconds=dice.randrange(1_000_000))
            number += 1
            parts.append(sort(at, number))
        text = "".join(parts)
        if isinstance(made, _Docker):
            text = "".join(_wrapped(line, at) for line in text.split("\n")[:-1])
        data = text.encode()
        if lines:
            data = b"".join(data.splitlines(keepends=True)[: lines - counted])
        out.write(data)
        written += len(data)
        counted += data.count(b"\n")
        batch += 1
    return written, counted


def _clients(dice: random.Random) -> list[tuple[str, str]]:
    return [(f"10.{dice.randrange(256)}.{dice.randrange(256)}.{n}", f"app_{n % 7}") for n in range(20)]


def _wrapped(line: str, at: datetime) -> str:
    fields = {"log": f"{line}\n", "stream": "stderr", "time": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"}
    return json.dumps(fields, separators=(",", ":")) + "\n"
