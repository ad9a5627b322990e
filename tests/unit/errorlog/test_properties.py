"""What holds for every log: no error, and no difference made by skimming, by pieces, by parts or by wrappings."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from stillhere.errorlog.formats import Clock
from stillhere.errorlog.parser import parse
from stillhere.errorlog.reader import Summarising, read, sniff
from stillhere.errorlog.source import opened

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)

times = st.builds(
    "{:02}T{:02}:{:02}:{:02}.{:06}".format,
    st.integers(1, 31),
    st.integers(0, 24),
    st.integers(0, 59),
    st.integers(0, 60),
    st.integers(0, 999_999),
)
reasons = st.sampled_from(
    [
        "Got timeout reading communication packets",
        "Got an error reading communication packets",
        "This connection closed normally without authentication",
        "The client was disconnected by the server because of inactivity.",
        "Got a packet bigger than 'max_allowed_packet' bytes",
        "KILLED",
    ]
)
aborted = st.builds(
    "Aborted connection {} to db: '{}' user: '{}' host: '{}' ({}){}".format,
    st.integers(1, 10**6),
    st.sampled_from(["shop", "unconnected", "a b", ""]),
    st.sampled_from(["app", "unauthenticated", "ü", "o'brien"]),
    st.sampled_from(["10.0.0.1", "10.0.0.2", "web", "connecting host"]),
    reasons,
    st.sampled_from(["", "."]),
)
messages = aborted | st.sampled_from(
    [
        "/usr/sbin/mysqld (mysqld 8.0.39) starting as process 7",
        "/usr/sbin/mysqld: ready for connections. Version: '8.0.39'  socket: ''  port: 3306",
        "Received SHUTDOWN from user root. Shutting down mysqld (Version: 8.0.39).",
        "/usr/sbin/mysqld: Shutdown complete (mysqld 8.0.39)",
        "Database was not shutdown normally!",
        "InnoDB: Starting crash recovery from checkpoint LSN=1",
        "Assertion failure: x.cc:1:y thread 7",
        "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
        "IP address '10.0.0.9' could not be resolved: Name or service not known",
        "Got an error reading communication packets",
        "Got packets out of order and more",
        "Got a packet bigger than 'max_allowed_packet' bytes",
        "Disk is full writing './x' (OS errno 28 - No space left on device)",
        "Cannot write: Error number 28 means 'No space left on device'",
        "Plugin mysql_native_password reported: 'old'",
        "Plugin group_replication reported: 'Setting super_read_only=ON.'",
        "WSREP: Received NON-PRIMARY.",
        "Semaphore wait has lasted > 600 seconds. We intentionally crash the server",
        "Replica SQL for channel '': x",
        "Too many connections",
        "",
        "x",
    ]
)
headed = st.builds(
    "2026-01-{}{} {} [{}] {}{}".format,
    times,
    st.sampled_from(["Z", "Z", "Z", "+02:00", "+05:30"]),
    st.integers(0, 99),
    st.sampled_from(["Note", "Warning", "ERROR", "System"]),
    st.sampled_from(["[MY-010914] [Server] ", "[MY-010914] [Server] ", "[MY-010000] [InnoDB] ", ""]),
    messages,
) | st.builds(
    "2026-02-0{} {:2}:{:02}:00 {} [{}] {}".format,
    st.integers(1, 9),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 99),
    st.sampled_from(["Note", "Warning", "ERROR"]),
    messages,
)
dumped = st.sampled_from(
    [
        "2026-01-05T10:00:00Z UTC - mysqld got signal 11 ;\n #0 0x55 f(int)\nQuery (7f): SELECT 1\nStatus: NOT_KILLED",
        "260105 10:00:00 [ERROR] mysqld got signal 6 ;\nQuery (0x7f): CREATE USER a IDENTIFIED BY 'x'",
    ]
)
others = st.sampled_from(
    [
        "TRANSACTION 5, ACTIVE 3 sec",
        " 0: len 4; hex 80000001; asc     ;;",
        "Version: '8.0.39'  socket: ''",
        "5 [Note] no time",
        " [Note] no time",
        '"quoted',
        " " * 30 + "indented",
        "\x1c",
        "InnoDB: goes on",
        "Jan  5 10:00:00 db kernel: Out of memory: Killed process 7 (mysqld) total-vm:1kB",
        "Jan  5 10:00:01 db systemd[1]: mysql.service: Main process exited, code=killed, status=9/KILL",
        "Jan  5 10:00:02 db cron[9]: hello",
    ]
)
lines = st.lists(headed | headed | dumped | others | st.text(max_size=40).map(lambda text: text.replace("\n", " ")))
noise = st.lists(st.binary(max_size=60) | (headed | others).map(str.encode), max_size=30).map(b"\n".join)
logs = lines.map("\n".join).map(str.encode) | noise


class Pieces(io.RawIOBase):
    """Gives its bytes in pieces of its own choice."""

    def __init__(self, data, sizes):
        self._data = io.BytesIO(data)
        self._sizes = iter(sizes)

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(min(size, next(self._sizes, size)) if size >= 0 else size)


def summary(data, *, fast=True, size=1 << 19, sizes=()):
    with opened(Pieces(data, sizes)) as log:
        return Summarising(Clock(until=UNTIL), fast=fast).summary(log, size)


def entries(data):
    return list(parse(io.BytesIO(data), until=UNTIL))


@given(logs)
def test_no_log_is_an_error_and_no_line_is_lost(data):
    found = entries(data)
    said = read(io.BytesIO(data), until=UNTIL)
    assert said.lines == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    assert said.size == len(data)
    assert sum(said.counts.values()) == len(found)
    assert len(said.entries) + said.omitted == len(found)
    assert all(len(entry.text) <= 500 and 1 <= entry.line <= said.lines for entry in found)
    assert isinstance(sniff(data), bool)


@given(logs, st.integers(1, 3000))
@example(b"2026-01-05T10:00:00Z 1 [ERROR] x: errno 28\n2026-01-05T10:00:00Z 1 [ERROR] OS errno 28", 3000)
def test_skimming_says_what_reading_says_whatever_the_size_of_the_blocks(data, size):
    assert summary(data, size=size) == summary(data, fast=False)


@given(logs, st.lists(st.integers(1, 200)), st.integers(1, 3000))
def test_the_pieces_in_which_a_stream_gives_its_bytes_make_no_difference(data, sizes, size):
    assert summary(data, size=size, sizes=sizes) == summary(data, size=size)


@given(lines, lines)
def test_two_logs_one_after_the_other_have_the_entries_of_both(first, second):
    second = ["2026-03-01 10:00:00 0 [Note] begins", *second]
    before, after = ("\n".join(part).encode() + b"\n" for part in (first, second))
    offset = before.count(b"\n") if first else 0
    before = before if first else b""
    # The next log's first line, so that a dump or an assertion at the end of the first is not continued.
    shifted = [replace(entry, line=entry.line + offset) for entry in entries(after)]
    assert entries(before + after) == entries(before) + shifted


def docker(line):
    return json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-01-01T00:00:00Z"})


WRAPPERS = [
    docker,
    "2026-01-01T00:00:00.123456789Z stderr F {}".format,
    "db-1  | {}".format,
    "Jan  5 10:00:00 db-1 mysqld[7]: {}".format,
    "2026-01-01T00:00:00+02:00 db-1 mysqld[7]: {}".format,
    "2026-01-01T00:00:00.123456+0200 db-1 mariadbd[7]: {}".format,
    "<28>1 2026-01-01T00:00:00Z db-1 mysqld 7 - - {}".format,
    lambda line: docker(f"db-1  | {line}"),
]


@given(st.lists(headed | dumped), st.sampled_from(WRAPPERS))
def test_a_wrapping_changes_no_entry(wrapped, wrap):
    plain = "\n".join(wrapped).split("\n")
    bare = entries("\n".join(plain).encode())
    found = entries("\n".join(wrap(line) for line in plain).encode())
    timeless = {entry.line for entry in bare if entry.at is None}  # they get the wrapping's time
    assert [replace(entry, at=None) if entry.line in timeless else entry for entry in found] == bare


@given(st.lists(headed), st.sampled_from(WRAPPERS))
def test_a_wrapped_log_is_skimmed_as_it_is_read(plain, wrap):
    data = "\n".join(wrap(line) for line in plain).encode()
    assert summary(data) == summary(data, fast=False)


@given(logs)
def test_line_ends_of_another_system_make_no_difference(data):
    data = data.replace(b"\r", b"")
    assert entries(data.replace(b"\n", b"\r\n")) == entries(data)


class Made(io.RawIOBase):
    """Bytes that are made as they are read, so many times."""

    def __init__(self, make, times):
        self._parts = (make(number) for number in range(times))
        self._rest = b""

    def readable(self):
        return True

    def read(self, size=-1):
        self._rest = self._rest or next(self._parts, b"")
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def strangers(number):
    """Aborted connections of hosts and users that were never seen before."""
    return b"".join(
        b"2026-02-01 10:00:00 7 [Warning] Aborted connection 7 to db: 'd' user: 'u%d' host: 'h%d' (KILLED)\n" % (n, n)
        for n in range(number * 1000, number * 1000 + 1000)
    )


def peak(make, times):
    tracemalloc.start()
    try:
        said = read(Made(make, times), until=UNTIL)
        return said, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_without_end_is_read_in_little_memory():
    said, memory = peak(lambda _: b"x" * 1_000_000, 100)
    assert (said.lines, said.size, said.unknown) == (1, 100_000_000, 1)
    assert memory < 20_000_000


def test_a_crowd_of_strangers_is_counted_in_little_memory():
    said, memory = peak(strangers, 15)
    assert said.aborts.total == said.lines == 15_000
    assert said.aborts.total == sum(host.count for host in said.aborts.by_host) + said.aborts.other_hosts
    assert len(said.aborts.by_host) == 100
    assert memory < 40_000_000


def test_empty_lines_are_read_in_little_memory():
    said, memory = peak(lambda _: b"\n" * 100_000, 6)
    assert (said.lines, said.unknown) == (600_000, 0)
    assert memory < 60_000_000


def test_hostile_lines_cost_no_more_than_their_length():
    head = "2026-01-01T00:00:00.000000Z 1 [Note] "
    long = [
        head + "mysqld" * 10_000,
        head + "Plugin " * 9000,
        head + "Aborted connection 1 to db: '" + "' user: '" * 7000,
        head + "A connection from `a`@`b` was closed by the server due to a timeout " + ") 1" * 20_000,
        "Jan  5 10:00:00 db systemd[1]: " + "mysql" * 12_000,
        "Jan  5 10:00:00 db kernel: " + "oom-kill:constraint=A" * 3000 + "task=mysqld" * 1000,
        "<28>1 - h p - - [" + "a\\]" * 20_000,
        "[" * 60_000,
        "{" * 60_000,
        '{"err_code": ' + "9" * 4000 + ', "msg": "x"}',
        '{"err_code": 1, "msg": "x", "thread": -1}',
        head.replace("1 [", "9" * 60_000 + " ["),
        "\x1b[" * 20_000,
        "a-" * 30_000,
    ]
    steps = 0

    def count(frame, event, argument):
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        said = summary("\n".join(long).encode(), fast=False)
    finally:
        sys.setprofile(None)
    assert said.lines == len(long)
    assert steps < 50_000
