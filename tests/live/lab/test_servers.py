from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import MySQLdb
import pymysql
import pytest

from stillhere.errors import LabError
from stillhere.lab.servers import ACCOUNT, Flavour, Server, start_server

DRIVERS = pytest.mark.parametrize("driver", [pymysql, MySQLdb], ids=["pymysql", "mysqlclient"])


@DRIVERS
@pytest.mark.parametrize("user", ["root", ACCOUNT])
def test_both_accounts_get_in_over_tcp_and_socket(server: Server, driver: object, user: str) -> None:
    password = ACCOUNT if user == ACCOUNT else ""
    for where in ({"host": server.host, "port": server.port}, {"unix_socket": str(server.socket)}):
        connection = driver.connect(user=user, password=password, **where)  # type: ignore[attr-defined]
        cursor = connection.cursor()
        cursor.execute("SHOW GRANTS")
        assert "WITH GRANT OPTION" in " ".join(row[0] for row in cursor.fetchall())
        connection.close()


def test_server_answers_for_itself(server: Server) -> None:
    ((version, port),) = server.execute("SELECT VERSION(), @@port")
    assert ("MariaDB" in version) == (server.flavour is Flavour.MARIADB)
    assert version.startswith(".".join(map(str, server.version)))
    assert port == server.port
    assert server.error_log.exists()


def test_acknowledged_write_outlives_a_crash_on_the_same_port(server: Server) -> None:
    server.execute("CREATE DATABASE IF NOT EXISTS lab_crash")
    server.execute(
        "CREATE OR REPLACE TABLE lab_crash.t (n INT)"
        if server.flavour is Flavour.MARIADB
        else "CREATE TABLE lab_crash.t (n INT)"
    )
    server.execute("INSERT INTO lab_crash.t VALUES (42)")
    port = server.port
    server.crash()
    assert not server.running
    server.start()
    assert server.port == port
    assert server.execute("SELECT n FROM lab_crash.t") == [(42,)]
    server.execute("DROP DATABASE lab_crash")


def test_restart_is_a_clean_shutdown_and_a_new_process(server: Server) -> None:
    pid = server.pid
    server.restart()
    assert server.pid != pid
    assert server.execute("SELECT 1") == [(1,)]
    assert (
        "Shutdown complete" in server.error_log.read_text() or "ready for connections" in server.error_log.read_text()
    )


def test_frozen_server_is_silent_until_it_thaws(server: Server) -> None:
    connection = pymysql.connect(host=server.host, port=server.port, user="root", read_timeout=1)
    server.freeze()
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        connection.query("SELECT 1")
    server.thaw()
    assert server.execute("SELECT 1") == [(1,)]


def test_globals_are_set_and_put_back(server: Server) -> None:
    wanted = {"wait_timeout": "7", "max_allowed_packet": "1048576", "sql_mode": ""}
    query = "SELECT @@GLOBAL.wait_timeout, @@GLOBAL.max_allowed_packet, @@GLOBAL.sql_mode"
    (at_first,) = server.execute(query)
    before = server.set_global(wanted)
    assert server.execute(query) == [(7, 1048576, "")]
    server.set_global(before)
    assert server.execute(query) == [at_first]


def test_taken_port_is_refused_by_name(mariadb: Server) -> None:
    with pytest.raises(LabError, match=str(mariadb.port)):
        start_server(Flavour.MARIADB, port=mariadb.port)


def test_server_that_cannot_start_shows_its_log(mariadb: Server) -> None:
    with pytest.raises(LabError, match=r"no_such_option|no-such-option"):
        start_server(Flavour.MARIADB, variables={"no_such_option": 1})


def test_variables_hold_from_the_first_start(mariadb: Server) -> None:
    with start_server(Flavour.MARIADB, variables={"wait_timeout": 33}) as own:
        own.restart()
        assert own.execute("SELECT @@GLOBAL.wait_timeout") == [(33,)]


def test_each_mysql_server_has_its_own_identity(mysql: Server) -> None:
    with start_server(Flavour.MYSQL) as other:
        assert other.execute("SELECT @@server_uuid") != mysql.execute("SELECT @@server_uuid")


@pytest.mark.parametrize("fork", [False, True], ids=["alone", "with_a_fork_that_lives_on"])
def test_server_and_its_data_go_when_the_lab_is_killed(server: Server, fork: bool) -> None:
    program = f"""
import os, threading, time
from stillhere.lab.servers import Flavour, start_server
started = []
maker = threading.Thread(target=lambda: started.append(start_server(Flavour.{server.flavour.name})))
maker.start(); maker.join()
time.sleep(0.5)  # the thread that forked is gone, the server must not be
server = started[0]
server.execute("SELECT 1")
child = os.fork() if {fork} else -1
if child == 0:
    time.sleep(60)
print(server.pid, server.datadir, child, flush=True)
time.sleep(60)
"""
    lab = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert lab.stdout is not None
    pid, datadir, child = lab.stdout.readline().split()
    assert _alive(int(pid))
    lab.kill()
    lab.wait()
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and (_alive(int(pid)) or Path(datadir).parent.exists()):
        time.sleep(0.02)
    try:
        assert not _alive(int(pid))
        assert not Path(datadir).parent.exists()
    finally:
        if fork:
            os.kill(int(child), signal.SIGKILL)
        lab.stdout.close()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
