"""What real servers write when they are cut off, killed, crashed and shut down is read for what it was."""

from __future__ import annotations

import contextlib
import ctypes
import io
import platform
import signal
import socket
import threading
import time

import pymysql
import pytest

from stillhere.errorlog.entry import Kind
from stillhere.errorlog.formats import Clock
from stillhere.errorlog.parser import parse
from stillhere.errorlog.reader import Summarising, read, sniff
from stillhere.errorlog.rows import COLUMNS, entries_from_rows
from stillhere.errorlog.source import opened
from stillhere.errorlog.summary import Ending
from stillhere.server.versions import Flavour

# The number of the system call that gives a signal to one thread, so that the dump has its statement.
TGKILL = {"x86_64": 234, "aarch64": 131}.get(platform.machine())


@pytest.fixture
def log(server):
    """A function that gives what the server wrote since the test began, all of it being written."""
    verbosity = "log_error_verbosity" if server.flavour is Flavour.MYSQL else "log_warnings"
    server.set_global({verbosity: 3})
    start = server.error_log.stat().st_size
    yield lambda: server.error_log.read_bytes()[start:]
    server.start()
    server.set_global({verbosity: None})


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def connect(server, **options):
    return pymysql.connect(
        host=server.host, port=server.port, **{"user": "stillhere", "password": "stillhere", **options}
    )


def provoke(server):
    """An idle timeout, a client that vanishes, a KILL, a packet that is too large, a wrong password, a port check."""
    idle = connect(server, database="mysql")
    idle.cursor().execute("SET SESSION wait_timeout = 1")
    idle._sock.settimeout(10)
    with contextlib.suppress(OSError):  # MariaDB resets
        while idle._sock.recv(4096):
            pass
    idle._force_close()
    connect(server, database="mysql")._force_close()
    large = server.execute("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    before = server.set_global({"max_allowed_packet": 1 << 20})
    packet = connect(server)
    with pytest.raises((pymysql.OperationalError, pymysql.err.InterfaceError)):
        packet.cursor().execute(f"SELECT '{'x' * (2 << 20)}'")
    packet._force_close()
    assert before == {"max_allowed_packet": large}
    server.set_global(before)
    with pytest.raises(pymysql.OperationalError):
        connect(server, password="wrong")
    with socket.create_connection((server.host, server.port)) as port_check:
        port_check.recv(1024)


def crash_in_a_statement(server):
    """SIGSEGV in the thread that runs a statement with a password in it; the connection's number."""
    connection = connect(server)
    number = connection.thread_id()

    def run():
        with contextlib.suppress(pymysql.MySQLError):
            connection.cursor().execute("SELECT SLEEP(60), 'x' AS `SET PASSWORD = 'hunter22'`")

    threading.Thread(target=run, daemon=True).start()
    table, thread, own = (
        ("performance_schema.threads", "THREAD_OS_ID", "PROCESSLIST_ID")
        if server.flavour is Flavour.MYSQL
        else ("information_schema.processlist", "TID", "ID")
    )
    info = "PROCESSLIST_INFO" if server.flavour is Flavour.MYSQL else "INFO"
    query = f"SELECT {thread} FROM {table} WHERE {own} = {number} AND {info} LIKE 'SELECT SLEEP%%'"
    assert within(10, lambda: server.execute(query))
    thread_id = server.execute(query)[0][0]
    assert ctypes.CDLL(None, use_errno=True).syscall(TGKILL, server.pid, thread_id, signal.SIGSEGV) == 0
    assert within(30, lambda: not server.running)
    connection._force_close()
    return number


def test_connections_that_a_real_server_cut_off_are_told_apart(server, log):
    provoke(server)
    wanted = {Kind.ABORTED, Kind.PACKET_TOO_LARGE, Kind.ACCESS_DENIED}
    if server.flavour is Flavour.MYSQL:
        wanted |= {Kind.IDLE_TIMEOUT, Kind.ABORTED_CONNECT}
    else:
        wanted |= {Kind.UNAUTHENTICATED}
    assert within(10, lambda: wanted <= {entry.kind for entry in parse(io.BytesIO(log()))})
    found = list(parse(io.BytesIO(log())))
    by_kind = {entry.kind: entry for entry in found}
    assert (by_kind[Kind.ACCESS_DENIED].user, by_kind[Kind.ACCESS_DENIED].host) == ("stillhere", server.host)
    assert all(entry.at is not None for entry in found)
    if server.flavour is Flavour.MYSQL:
        assert {entry.seconds for entry in found if entry.kind is Kind.IDLE_TIMEOUT} == {0.0, 1.0}
    else:
        assert "Got timeout reading communication packets" in {entry.reason for entry in found}
    vanished = [entry for entry in found if entry.database == "mysql" and "error reading" in entry.reason]
    assert [entry.user for entry in vanished] == ["stillhere"]


@pytest.mark.skipif(TGKILL is None, reason="the number of tgkill is not known for this machine")
def test_the_lives_of_a_real_server_end_as_they_did(server, log):
    provoke(server)
    server.restart()
    server.crash()
    server.start()
    number = crash_in_a_statement(server)
    server.start()
    written = log()
    assert sniff(written[:4000])
    summary = read(io.BytesIO(written))
    assert [life.ending for life in summary.lives] == [Ending.CLEAN, Ending.KILLED, Ending.CRASH, Ending.RUNNING]
    assert [life.pid for life in summary.lives][-1] == server.pid
    assert {life.version.split("-")[0] for life in summary.lives[1:]} == {str(server.version).split()[1].split("-")[0]}
    assert summary.unknown == 0
    crash = summary.lives[2].evidence[0]
    assert (crash.kind, crash.signal, crash.thread_id) == (Kind.CRASH, signal.SIGSEGV, number)
    assert crash.reason.startswith("SELECT SLEEP(60)")
    assert "hunter22" not in repr(summary)
    assert summary.aborts.total >= 3
    with opened(io.BytesIO(written)) as again:
        assert Summarising(Clock(until=again.until), fast=False).summary(again) == summary


@pytest.mark.mysql
def test_the_table_tells_what_the_file_tells(mysql):
    mysql.start()
    mysql.set_global({"log_error_verbosity": 3})
    try:
        provoke(mysql)
        rows = mysql.execute(f"SELECT {', '.join(COLUMNS)} FROM performance_schema.error_log ORDER BY LOGGED")
        since = min(row[0] for row in rows)
        told = [entry for entry in entries_from_rows(rows) if entry.kind is not Kind.CRASH]
        filed = [entry for entry in parse(mysql.error_log) if entry.kind is not Kind.CRASH and entry.at]
        filed = [entry for entry in filed if entry.at.replace(tzinfo=None) >= since]
        assert {(entry.kind, entry.at, entry.text) for entry in told} == {
            (entry.kind, entry.at, entry.text) for entry in filed
        }
    finally:
        mysql.set_global({"log_error_verbosity": None})
