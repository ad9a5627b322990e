"""What is known of a connection without asking the server: its own idle limit, farewells, and TLS."""

from __future__ import annotations

import contextlib
import time

import pytest

import stillhere
from stillhere.continuity.verdict import Liveness
from stillhere.lab.servers import start_server


def aborted(room):
    return int(room.ask("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])


def test_a_connection_near_its_own_idle_limit_is_replaced_before_it_is_cut(room, run):
    before = room.server.set_global({"wait_timeout": 4})
    try:
        connection = room.connect(autocommit=True)
        assert connection._stillhere.facts.wait_timeout == 4
        first, losses = run(connection, "SELECT CONNECTION_ID()")[0][0], aborted(room)
        time.sleep(3.65)
        assert run(connection, "SELECT CONNECTION_ID()")[0][0] != first
        assert aborted(room) == losses
    finally:
        room.server.set_global(before)


@pytest.mark.parametrize("begun", [False, True])
def test_a_connection_past_its_idle_limit_was_cut_and_goes_on(room, rows, run, begun):
    before = room.server.set_global({"wait_timeout": 1})
    try:
        connection = room.connect(autocommit=not begun)
        run(connection, "UPDATE t SET v = 11 WHERE id = 1" if begun else "SELECT 1")
        thread_id = connection.thread_id()
        room.wait_until(lambda: not room.processes(f"ID = {thread_id}"))
        time.sleep(0.06)
        assert connection._stillhere.look() is Liveness.DEAD
        words = connection._stillhere.ending().words
        if not room.mariadb:  # MySQL says why before it closes
            assert int.from_bytes(words[5:7], "little") == 4031
        assert run(connection, "SELECT v FROM t WHERE id = 1") == ((11 if begun else 10,),)
        connection.commit()
    finally:
        room.server.set_global(before)


@pytest.fixture(scope="module")
def tls_server():
    """A MySQL server with the certificates that it makes itself."""
    pytest.importorskip("cryptography")
    try:
        server = start_server("mysql", variables={"auto_generate_certs": "ON"})
    except stillhere.StillhereError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def tls(tls_server, driver):
    """Connect over TLS, past any wire: what is inside can't be read."""
    import importlib  # noqa: PLC0415 - by the driver's name

    dbapi = importlib.import_module({"mysqlclient": "MySQLdb", "pymysql": "pymysql"}[driver])
    secure = {"ssl_mode": "REQUIRED"} if driver == "mysqlclient" else {"ssl": {"check_hostname": False}}
    try:
        probe = dbapi.connect(host="127.0.0.1", port=tls_server.port, user="stillhere", password="stillhere", **secure)
    except Exception as error:  # noqa: BLE001 - a client library without it
        pytest.skip(f"no TLS with {driver}: {error}")
    probe.close()
    opened = []

    def connect(policy=None, **kwargs):
        connection = stillhere.connect(
            dbapi, stillhere=policy, host="127.0.0.1", port=tls_server.port, user="stillhere", password="stillhere",
            **secure, **kwargs,
        )  # fmt: skip
        opened.append(connection)
        return connection

    yield connect
    for one in opened:
        with contextlib.suppress(Exception):
            one.close()


@pytest.mark.mysql
def test_over_tls_an_idle_connection_is_not_taken_for_dead(tls, run):
    """The session tickets of TLS 1.3 arrive unasked after the handshake."""
    connection = tls(autocommit=True)
    before = connection.thread_id()
    assert run(connection, "SHOW STATUS LIKE 'Ssl_version'")[0][1].startswith("TLS")
    for _ in range(5):
        time.sleep(0.06)
        assert connection._stillhere.look() is Liveness.ALIVE
        run(connection, "SELECT 1")
    assert connection.thread_id() == before


@pytest.mark.mysql
def test_over_tls_a_connection_killed_while_idle_is_replaced_unseen(tls, tls_server, run):
    connection = tls(autocommit=True)
    before = run(connection, "SELECT CONNECTION_ID()")[0][0]
    tls_server.execute(f"KILL {before}")
    time.sleep(0.3)
    assert run(connection, "SELECT CONNECTION_ID()")[0][0] != before


@pytest.mark.mysql
def test_over_tls_a_write_in_flight_at_a_kill_is_unknown(tls, tls_server, run):
    """It comes as 2026 from mysqlclient; whatever the number, it may have been executed."""
    import threading  # noqa: PLC0415 - here only

    connection = tls(autocommit=True)
    thread_id = run(connection, "SELECT CONNECTION_ID()")[0][0]
    killer = threading.Timer(0.4, lambda: tls_server.execute(f"KILL {thread_id}"))
    killer.start()
    with pytest.raises(stillhere.StatementOutcomeUnknown):
        run(connection, "DO SLEEP(3)")
    killer.join()
    assert run(connection, "SELECT 1") == ((1,),)
