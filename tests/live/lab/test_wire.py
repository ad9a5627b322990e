"""The wire breaks real connections to real servers where it says it does."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import statistics
import threading
import time
from pathlib import Path

import pymysql
import pytest

from stillhere.errors import LabError
from stillhere.lab.wire import By, Cut, When, Wire


def ask(connection, sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall()


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it hasn't come true"
        time.sleep(0.005)


def lost(connection, sql="DO 1"):
    """The error number of a statement on a connection that must be lost."""
    with pytest.raises(pymysql.OperationalError) as caught:
        ask(connection, sql)
    return caught.value.args[0]


def thread_gone(server, thread):
    return not server.execute("SELECT 1 FROM information_schema.processlist WHERE id = %s", (thread,))


# --- cuts


EXECUTED = {When.BEFORE: 0, When.HALF: 0, When.AFTER_EXECUTED: 1, When.AFTER_REPLY: 1}


@pytest.mark.parametrize(
    "order", list(itertools.product(EXECUTED, By)), ids=lambda order: f"{order[0].name}-{order[1].name}"
)
def test_a_commit_is_cut_where_it_was_ordered(server, wire, connect, table, order):
    one = connect(wire)
    ask(one, f"INSERT INTO {table} VALUES ()")
    when, by = order
    armed = wire.cut(Cut("COMMIT", when, by))
    if when is When.AFTER_REPLY:
        one.commit()
        assert armed.wait(5)
        assert lost(one) in (2006, 2013)
    else:
        with pytest.raises(pymysql.OperationalError) as caught:
            one.commit()
        assert caught.value.args[0] == 2013
    assert armed.hits == 1
    wait_until(lambda: thread_gone(server, one.thread_id()))
    assert server.execute(f"SELECT COUNT(*) FROM {table}") == [(EXECUTED[when],)]


def test_a_commit_cut_after_it_was_forwarded_leaves_the_server_without_its_client(server, wire, connect, table):
    one = connect(wire)
    ask(one, f"INSERT INTO {table} VALUES ()")
    armed = wire.cut(Cut("COMMIT", When.AFTER_FORWARD))
    with pytest.raises(pymysql.OperationalError):
        one.commit()
    assert armed.hits == 1
    wait_until(lambda: thread_gone(server, one.thread_id()))


def test_a_ghost_keeps_its_locks_until_the_wire_is_healed(server, wire, connect, table):
    one = connect(wire)
    ask(one, f"INSERT INTO {table} VALUES (1, 'a')")
    wire.cut(Cut("COMMIT", When.BEFORE, ghost=True))
    with pytest.raises(pymysql.OperationalError):
        one.commit()
    other = connect(wire)
    ask(other, "SET innodb_lock_wait_timeout = 1")
    with pytest.raises(pymysql.OperationalError) as caught:
        ask(other, f"INSERT INTO {table} VALUES (1, 'b')")
    assert caught.value.args[0] == 1205
    assert [view.holed for view in wire.connections] == [True, False]
    assert wire.heal() == 1
    wait_until(lambda: thread_gone(server, one.thread_id()))
    ask(other, f"INSERT INTO {table} VALUES (1, 'b')")


def test_a_cut_strikes_as_often_as_ordered_and_at_every_nth_match(wire, connect):
    armed = wire.cut(Cut("DO", When.AFTER_EXECUTED, times=2, every=3))
    outcomes = ""
    one = connect(wire)
    for _ in range(12):
        try:
            ask(one, "DO 1")
            outcomes += "."
        except pymysql.OperationalError:
            outcomes += "x"
            one = connect(wire)
    assert outcomes == "..x..x......"
    assert armed.hits == 2
    assert not armed.armed


def test_a_large_reply_arrives_whole_before_the_reset_behind_it(wire, connect):
    for _ in range(5):
        one = connect(wire)
        with contextlib.closing(one):
            armed = wire.cut(Cut("SELECT", When.AFTER_REPLY))
            assert len(ask(one, "SELECT REPEAT('x', 5000000)")[0][0]) == 5_000_000
            assert armed.wait(5)
            assert lost(one) in (2006, 2013)


def test_a_disarmed_cut_is_harmless(wire, connect):
    armed = wire.cut(Cut("DO", When.BEFORE, times=None))
    armed.disarm()
    ask(connect(wire), "DO 1")
    assert armed.hits == 0


def test_a_function_picks_the_command(wire, connect):
    armed = wire.cut(Cut(lambda command: "/* last */" in command.text, When.AFTER_REPLY))
    one = connect(wire)
    ask(one, "SELECT 1 /* first */")
    assert ask(one, "SELECT 2 UNION SELECT 3 /* last */") == ((2,), (3,)), "the whole reply was passed on"
    assert armed.wait(5)
    lost(one)


def test_a_function_that_fails_disarms_its_cut(wire, connect, caplog):
    armed = wire.cut(Cut(lambda _: 1 / 0, When.BEFORE))
    ask(connect(wire), "DO 1")
    assert not armed.armed
    assert "a cut is disarmed" in caplog.text


def test_half_of_a_large_statement_is_forwarded(server, wire, connect, table):
    one = connect(wire)
    armed = wire.cut(Cut("INSERT", When.HALF))
    with pytest.raises(pymysql.OperationalError):
        ask(one, f"INSERT INTO {table} (b) VALUES (%s)", "x" * 3_000_000)
    assert armed.hits == 1
    assert server.execute(f"SELECT COUNT(*) FROM {table}") == [(0,)]


# --- what it understands


def test_round_trips_are_counted_exactly(wire, connect):
    one = connect(wire, autocommit=None)
    assert wire.connections_opened == 1
    wire.reset_counters()
    ask(one, "SELECT 1")
    one.ping(reconnect=False)
    one.select_db("information_schema")
    one.commit()
    one.close()
    wait_until(lambda: not wire.connections)
    assert wire.round_trips == 4
    assert wire.commands == {"COM_QUERY": 2, "COM_PING": 1, "COM_INIT_DB": 1, "COM_QUIT": 1}
    assert wire.connections_opened == 0


def test_the_command_in_flight_is_known_until_its_reply_is_complete(wire, connect):
    one = connect(wire)
    worker = threading.Thread(target=lambda: ask(one, "SELECT SLEEP(0.3)"))
    worker.start()
    wait_until(lambda: wire.connections[0].in_flight)
    assert wire.connections[0].in_flight.text == "SELECT SLEEP(0.3)"
    worker.join()
    assert wire.connections[0].in_flight is None


STATEMENTS = (
    "DO 1",
    "SELECT 1",
    "SELECT 1 FROM DUAL WHERE FALSE",
    "SELECT NULL, '', REPEAT('x', 300) UNION ALL SELECT 2, 'a', 'b'",
    "SELECT REPEAT('x', 3000000)",
    "SELECT table_name, column_name FROM information_schema.columns",
    "SHOW WARNINGS",
    "no such statement",
    "SELECT 1; SELECT 2; DO 3",
    "SELECT 1; no such statement",
    "CALL p()",
    "PREPARE s FROM 'SELECT ?'",
)


def drivers():
    """Connects with each driver; both let several statements be sent at once."""
    import MySQLdb  # noqa: PLC0415 - an optional package
    from MySQLdb.constants import CLIENT  # noqa: PLC0415 - same

    many = pymysql.constants.CLIENT.MULTI_STATEMENTS
    yield lambda **place: pymysql.connect(**place, client_flag=many), pymysql.Error
    yield lambda **place: MySQLdb.connect(**place, client_flag=CLIENT.MULTI_STATEMENTS), MySQLdb.Error


@pytest.mark.parametrize("number", [0, 1], ids=["pymysql", "mysqlclient"])
def test_the_end_of_every_kind_of_reply_is_seen(server, wire, database, number):
    server.execute(f"CREATE PROCEDURE {database}.p() BEGIN SELECT 1; SELECT 2, 3; DO 4; END")
    connect, error = list(drivers())[number]
    place = {"host": wire.host, "port": wire.port, "user": "stillhere", "password": "stillhere"}
    with contextlib.closing(connect(**place, database=database)) as one:
        for sql in STATEMENTS:
            cursor = one.cursor()
            with contextlib.suppress(error):
                cursor.execute(sql)
                while cursor.nextset():
                    pass
            (view,) = wire.connections
            assert view.ready
            assert view.in_flight is None, sql


@pytest.mark.mariadb
def test_uploads_are_no_commands(mariadb, tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"x" * 59 + b"\n")
    path.write_bytes(path.read_bytes() * 60_000)  # so many packets that their numbers wrap around
    mariadb.execute("CREATE OR REPLACE DATABASE uploads")
    mariadb.execute("CREATE TABLE uploads.t (a TEXT)")
    before = mariadb.set_global({"local_infile": 1})
    with Wire(mariadb.host, mariadb.port) as wire:
        one = pymysql.connect(host=wire.host, port=wire.port, user="root", local_infile=True, max_allowed_packet=4096)
        wire.reset_counters()
        ask(one, f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE uploads.t")
        assert ask(one, "SELECT COUNT(*) FROM uploads.t") == ((60_000,),)
        assert wire.round_trips == 2
        one.close()
    mariadb.set_global(before)
    mariadb.execute("DROP DATABASE uploads")


def test_thread_ids_are_the_servers(wire, connect):
    expected = [ask(connect(wire), "SELECT CONNECTION_ID()")[0][0] for _ in range(3)]
    assert [view.thread_id for view in wire.connections] == expected


def test_a_large_reply_comes_through_whole(wire, connect):
    rows = ask(connect(wire), "SELECT REPEAT('x', 9000000), REPEAT('y', 9000000)")
    assert [len(value) for value in rows[0]] == [9_000_000, 9_000_000]


def test_many_clients_at_once(wire, connect):
    connections = [connect(wire) for _ in range(30)]
    wire.reset_counters()

    def work(one):
        for number in range(20):
            assert ask(one, "SELECT %s", number) == ((number,),)

    workers = [threading.Thread(target=work, args=(one,)) for one in connections]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wire.round_trips == 600


# --- controls


def test_a_reset_reaches_both_sides(server, wire, connect):
    one = connect(wire)
    assert wire.reset_all() == 1
    assert lost(one) in (2006, 2013)
    wait_until(lambda: thread_gone(server, one.thread_id()))
    ask(connect(wire), "DO 1")


def test_a_reset_interrupts_a_waiting_client(wire, connect):
    one = connect(wire)
    timer = threading.Timer(0.1, wire.reset_all)
    timer.start()
    start = time.monotonic()
    assert lost(one, "DO SLEEP(5)") == 2013
    assert time.monotonic() - start < 2
    timer.join()


def test_a_half_close_towards_the_client_still_forwards_what_it_sends(server, wire, connect, table):
    one = connect(wire, autocommit=True)
    assert wire.half_close_all() == 1
    assert lost(one, f"INSERT INTO {table} VALUES ()") == 2013
    wait_until(lambda: server.execute(f"SELECT COUNT(*) FROM {table}") == [(1,)])
    wait_until(lambda: not wire.connections)


def test_a_half_close_towards_the_server_ends_the_servers_thread(server, wire, connect):
    one = connect(wire)
    wire.half_close_all(client=False, server=True)
    wait_until(lambda: thread_gone(server, one.thread_id()))
    lost(one)


@pytest.mark.parametrize("blind", ["server", "client"])
def test_a_black_hole_is_silent_while_new_connections_work(server, wire, connect, table, blind):
    one = connect(wire, autocommit=True, read_timeout=1)
    assert wire.black_hole(to_server=blind == "server", to_client=blind == "client") == 1
    start = time.monotonic()
    assert lost(one, f"INSERT INTO {table} VALUES ()") == 2013
    assert time.monotonic() - start >= 0.9, "it was silent until the client's own timeout"
    ask(connect(wire), "DO 1")
    executed = 1 if blind == "client" else 0
    assert server.execute(f"SELECT COUNT(*) FROM {table}") == [(executed,)]


def test_a_black_hole_hides_the_clients_end_from_the_server_until_healed(server, wire, connect):
    one = connect(wire)
    wire.black_hole()
    one._force_close()
    time.sleep(0.2)
    assert not thread_gone(server, one.thread_id())
    assert [view.holed for view in wire.connections] == [True]
    assert wire.heal() == 1
    wait_until(lambda: thread_gone(server, one.thread_id()))


def test_healing_leaves_the_healthy_alone(wire, connect):
    one = connect(wire)
    wire.black_hole()
    other = connect(wire)
    assert wire.heal() == 1
    lost(one)
    ask(other, "DO 1")


def test_delay_is_added_to_each_round_trip(wire, connect):
    one = connect(wire)
    wire.delay = 0.02
    times = []
    for _ in range(5):
        start = time.monotonic()
        one.ping(reconnect=False)
        times.append(time.monotonic() - start)
    assert min(times) >= 0.02
    start = time.monotonic()
    connect(wire, autocommit=None)
    assert time.monotonic() - start >= 0.06
    wire.delay = 0.0
    start = time.monotonic()
    one.ping(reconnect=False)
    assert time.monotonic() - start < 0.02


def test_a_short_delay_is_precise(wire, connect):
    one = connect(wire)

    def typical():
        times = []
        for _ in range(100):
            start = time.perf_counter()
            one.ping(reconnect=False)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    wire.delay = 0.0005
    assert 0.0005 <= typical() < 0.002, "a bound for a busy machine; usually it is within 0.1 ms"


def test_an_outage_refuses_and_ends_on_the_same_port(wire, connect):
    one = connect(wire)
    port = wire.port
    wire.refuse()
    lost(one)
    with pytest.raises(pymysql.OperationalError, match="refused"):
        connect(wire)
    wire.refuse(refused=False)
    assert wire.port == port
    ask(connect(wire), "DO 1")


@pytest.mark.mariadb
def test_a_process_that_was_forked_keeps_no_connection_and_no_port(wire, connect):
    one = connect(wire, read_timeout=2)
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        assert wire.reset_all() == 1
        with pytest.raises(ConnectionResetError):
            one._sock.recv(1)
        wire.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((wire.host, wire.port), 2)
        wire.refuse(refused=False)
        assert ask(connect(wire), "SELECT 1") == ((1,),)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_server_that_is_away_shows_as_a_lost_connection(mariadb):
    with socket.socket() as taken, Wire("127.0.0.1", unused(taken)) as wire:
        with pytest.raises(pymysql.OperationalError) as caught:
            pymysql.connect(host=wire.host, port=wire.port, user="root")
        assert caught.value.args[0] in (2003, 2013)
        wait_until(lambda: not wire.connections)


def unused(sock):
    """A port on which nobody listens, as long as the socket lives."""
    sock.bind(("127.0.0.1", 0))
    return sock.getsockname()[1]


# --- its own life


def descriptors_open():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_leaves_no_thread_and_no_descriptor(server, connect):
    connect(server).close()  # what the driver loads once is loaded now
    threads, descriptors = threading.active_count(), descriptors_open()
    clients = []
    with Wire(server.host, server.port, plain=True) as wire:
        clients += [connect(wire) for _ in range(3)]
        wire.black_hole()
        wire.cut(Cut("DO", When.BEFORE, ghost=True))
        clients.append(connect(wire))
        lost(clients[-1])
        wire.delay = 30
        waiting = socket.create_connection((wire.host, wire.port))
    waiting.close()
    for client in clients:
        client._force_close()
    wait_until(lambda: threading.active_count() == threads)
    assert descriptors_open() == descriptors


def test_a_closed_wire_says_so_and_closes_again(server):
    wire = Wire(server.host, server.port)
    wire.close()
    wire.close()
    with pytest.raises(LabError, match="the wire is closed"):
        wire.reset_all()
    assert wire.round_trips == 0


def test_controls_from_many_threads_under_load(wire, connect):
    halt = threading.Event()

    def work():
        while not halt.is_set():
            try:
                one = connect(wire)
                while not halt.is_set():
                    ask(one, "SELECT 1")
            except pymysql.Error:
                continue

    def break_it(control):
        while not halt.is_set():
            control()
            time.sleep(0.03)

    controls = [wire.reset_all, wire.half_close_all, wire.black_hole, wire.heal, lambda: wire.connections]
    workers = [threading.Thread(target=work) for _ in range(4)]
    workers += [threading.Thread(target=break_it, args=(control,)) for control in controls]
    for worker in workers:
        worker.start()
    time.sleep(1.5)
    halt.set()
    time.sleep(0.05)
    wire.reset_all()
    for worker in workers:
        worker.join(10)
        assert not worker.is_alive()
    ask(connect(wire), "DO 1")
