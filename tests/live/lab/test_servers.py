"""Private servers: reachable as promised, durable over crashes, gone with their parent."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pymysql
import pytest

from stillhere.errors import ConfigurationError, LabError
from stillhere.lab.servers import start_server

PARENT = """
import sys
from stillhere.lab.servers import start_server
server = start_server(sys.argv[1])
if sys.argv[2:] == ["fork"]:  # a child that inherits every descriptor and outlives its parent
    import os, time
    if os.fork() == 0:
        os.close(1)
        time.sleep(8)
        os._exit(0)
print(server.pid, server.datadir, flush=True)
sys.stdin.read()
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def within(seconds: float, condition) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("way", ["tcp", "socket"])
@pytest.mark.parametrize(("user", "password"), [("root", ""), ("stillhere", "stillhere")])
def test_an_account_has_all_rights_over_tcp_and_over_the_socket(server, database, user, password, way):
    where = {"host": server.host, "port": server.port} if way == "tcp" else {"unix_socket": str(server.socket)}
    with pymysql.connect(user=user, password=password, database=database, **where) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT)")
        cursor.execute("CREATE USER extra@localhost")
        cursor.execute(f"GRANT SELECT ON {database}.* TO extra@localhost")
        cursor.execute("DROP USER extra@localhost")


@pytest.mark.parametrize(("driver", "module"), [("mysqlclient", "MySQLdb"), ("pymysql", "pymysql")])
def test_its_url_is_good_for_sqlalchemy(server, database, driver, module):
    pytest.importorskip(module)
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(server.url(database=database, driver=driver))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT DATABASE(), '\u2603'").one() == (database, "\u2603")
    engine.dispose()


def test_an_unknown_driver_has_no_url(server):
    with pytest.raises(ConfigurationError, match="oracledb"):
        server.url(driver="oracledb")


def test_it_is_what_it_says(server):
    assert server.execute("SELECT @@port, @@socket, @@bind_address, @@skip_name_resolve") == [
        (server.port, str(server.socket), "127.0.0.1", 1)
    ]
    assert server.execute("SELECT VERSION()")[0][0].startswith(".".join(map(str, server.version.number)))
    assert server.execute("SELECT @@innodb_flush_log_at_trx_commit") == [(1,)]
    assert server.datadir.is_dir()
    assert server.error_log.is_file()
    assert alive(server.pid)


def test_a_restart_keeps_port_and_data(server, database):
    server.execute(f"CREATE TABLE {database}.t (a INT)")
    server.execute(f"INSERT INTO {database}.t VALUES (%s)", (7,))
    port, pid = server.port, server.pid
    server.restart()
    assert server.port == port
    assert server.pid != pid
    assert server.execute(f"SELECT a FROM {database}.t") == [(7,)]


def test_what_was_acknowledged_survives_a_crash_and_what_was_not_committed_does_not(server, database):
    server.execute(f"CREATE TABLE {database}.t (a INT)")
    server.execute(f"INSERT INTO {database}.t VALUES (1)")
    with contextlib.closing(server.admin()) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"INSERT INTO {database}.t VALUES (2)")
        server.crash()
    assert not server.running
    server.start()
    assert server.execute(f"SELECT a FROM {database}.t") == [(1,)]


def test_a_stopped_one_refuses_connections_and_can_be_stopped_again(server):
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection((server.host, server.port)):
        pass
    with pytest.raises(LabError, match="does not answer"):
        server.admin()
    server.start()


def test_a_frozen_one_accepts_and_says_nothing_until_it_is_thawed(server):
    server.freeze()
    with socket.create_connection((server.host, server.port), timeout=0.3) as connection:
        with pytest.raises(TimeoutError):
            connection.recv(1)
        with pytest.raises(LabError, match=r"did not answer within 0\.2 s"):
            server.wait_ready(0.2)
        server.thaw()
        connection.settimeout(10)
        assert connection.recv(1)


def test_a_frozen_one_can_be_stopped_in_order(server, database):
    server.execute(f"CREATE TABLE {database}.t (a INT)")
    server.freeze()
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 20
    server.start()
    assert server.execute(f"SELECT a FROM {database}.t") == []


def test_global_variables_are_set_from_text_and_put_back(server):
    before = server.set_global({"wait_timeout": "5", "slow_query_log": "ON", "long_query_time": "0.5"})
    query = "SELECT @@GLOBAL.wait_timeout, @@GLOBAL.slow_query_log, @@GLOBAL.long_query_time"
    assert server.execute(query) == [(5, 1, 0.5)]
    server.set_global(before)
    assert server.execute(query) == [(28800, 0, 10.0)]


def test_when_one_global_variable_is_refused_none_is_changed(server):
    with pytest.raises(LabError, match="refuses to set port"):
        server.set_global({"wait_timeout": 5, "port": 1})
    assert server.execute("SELECT @@GLOBAL.wait_timeout") == [(28800,)]


def test_variables_given_at_the_start_survive_a_restart(mariadb):
    with start_server("mariadb", variables={"wait_timeout": 7, "slow_query_log": "ON"}) as one:
        one.restart()
        assert one.execute("SELECT @@GLOBAL.wait_timeout, @@GLOBAL.slow_query_log") == [(7, 1)]


def test_a_variable_that_it_does_not_know_is_named_in_the_error(mariadb):
    with pytest.raises(LabError, match="unknown variable 'nonsense=1'"):
        start_server("mariadb", variables={"nonsense": 1})


def test_a_port_in_use_is_named_in_the_error(mariadb):
    with pytest.raises(LabError, match=f"port {mariadb.port} on 127.0.0.1 can't be used.*in use"):
        start_server("mariadb", port=mariadb.port)


def test_closing_it_removes_everything(mariadb):
    one = start_server("mariadb")
    one.close()
    one.close()
    assert not alive(one.pid)
    assert not one.datadir.parent.exists()
    with pytest.raises(LabError, match="was closed"):
        one.start()


@pytest.mark.parametrize("children", [(), ("fork",)], ids=["alone", "with a fork that outlives it"])
def test_when_its_parent_is_killed_it_is_gone_with_its_data(server, children):
    parent = subprocess.Popen(
        (sys.executable, "-c", PARENT, server.flavour.value.lower(), *children),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        pid, datadir = parent.stdout.readline().split()
        assert alive(int(pid))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert within(3, lambda: not alive(int(pid)) and not Path(datadir).parent.exists())


def test_a_fork_can_not_command_it(mariadb):
    # In a process of its own: forking a test runner that has threads is refused by warnings.
    code = (
        "import os\nfrom stillhere.errors import LabError\nfrom stillhere.lab.servers import start_server\n"
        "one = start_server('mariadb')\n"
        "if os.fork() == 0:\n"
        "    try:\n        one.crash()\n"
        "    except LabError:\n        one.close()\n        os._exit(7)\n"
        "    os._exit(1)\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 7\n"
        "assert one.execute('SELECT 1') == [(1,)]\none.close()\n"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_lab_up_says_how_to_reach_it_and_ends_when_told_to(server, number):
    name = server.flavour.value.lower()
    command = (sys.executable, "-m", "stillhere.cli.main", "lab", "up", name, "--set", "wait_timeout=9")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as up:
        shown = dict(up.stdout.readline().rstrip("\n").split(": ", 1) for _ in range(5))
        port = int(re.search(r"127\.0\.0\.1:(\d+)/", shown["stillhere"])[1])
        assert shown["root"].startswith("mysql+mysqldb://root@127.0.0.1:")
        assert Path(shown["log"]).is_file()
        for where in ({"host": "127.0.0.1", "port": port}, {"unix_socket": shown["socket"]}):
            with pymysql.connect(user="stillhere", password="stillhere", **where) as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT @@GLOBAL.wait_timeout")
                assert cursor.fetchone() == (9,)
        up.send_signal(number)
        _, errors = up.communicate(timeout=30)
    assert up.returncode == 0, errors
    assert "Traceback" not in errors
    assert not Path(shown["log"]).parent.exists()
