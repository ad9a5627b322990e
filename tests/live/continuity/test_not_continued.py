"""Losses that end in an error: pins, streams, statements ended on purpose, timeouts, and what crashes servers."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere import Policy

PINNED = {
    "GET_LOCK": "SELECT GET_LOCK('a', 0)",
    "temporary table": "CREATE TEMPORARY TABLE tt (a INT)",
    "LOCK TABLES": "LOCK TABLES t WRITE",
    "user variable": "SET @a = (SELECT COUNT(*) FROM t)",
    "XA": "XA START 'a'",
    "PREPARE": "PREPARE s FROM 'SELECT 1'",
    "HANDLER": "HANDLER t OPEN",
}


@pytest.mark.parametrize("pin", PINNED)
def test_a_pinned_session_is_not_continued_and_the_note_names_the_pin(room, rows, run, pin):
    connection = room.connect(autocommit=True)
    run(connection, PINNED[pin])
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert not isinstance(caught.value, stillhere.StillhereError)
    assert caught.value.args[0] in {2006, 2013}
    assert any(pin in note for note in caught.value.__notes__)
    with pytest.raises(stillhere.TransactionLost, match=pin):
        run(connection, "SELECT 1")
    connection.rollback()
    assert run(connection, "SELECT 1") == ((1,),)


def test_a_lock_that_was_released_pins_no_longer(room, rows, run):
    connection = room.connect(autocommit=True)
    run(connection, "LOCK TABLES t WRITE")
    run(connection, "UNLOCK TABLES")
    room.lose_idle()
    assert run(connection, "SELECT 1") == ((1,),)


def test_a_pin_taken_in_a_lost_transaction_is_not_continued_at_commit(room, rows, run):
    connection = room.connect()
    run(connection, "SELECT GET_LOCK('a', 0)")
    run(connection, "UPDATE t SET v = 0")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        connection.commit()
    assert any("GET_LOCK" in note for note in caught.value.__notes__)
    assert room.ask("SELECT SUM(v) FROM t") == [(60,)]


def streaming(room):
    module = room.dbapi.cursors
    return module.SSCursor


@pytest.mark.parametrize("begun", [False, True])
def test_a_result_lost_while_it_is_streamed_is_interrupted(room, run, begun):
    """More rows than the sockets between hold."""
    room.ask("CREATE TABLE wide (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)")
    room.ask("INSERT INTO wide (v) VALUES (REPEAT('x', 1000000))")
    for _ in range(5):
        room.ask("INSERT INTO wide (v) SELECT v FROM wide")
    connection = room.connect(autocommit=not begun)
    if begun:
        run(connection, "UPDATE wide SET v = 'y' WHERE id = 1")
    cursor = connection.cursor(streaming(room))
    cursor.execute("SELECT id, v FROM wide")
    assert cursor.fetchone()[0] == 1
    room.wire.reset_all()
    with pytest.raises(stillhere.StreamInterrupted):
        cursor.fetchall()
    cursor.close()
    if begun:
        with pytest.raises(stillhere.TransactionLost):
            connection.commit()
        connection.rollback()
    assert run(connection, "SELECT COUNT(*) FROM wide") == ((32,),)


def kills_seen(room):
    """MySQL keeps its Com_ counters out of the tables in which the others can be read along with the rest."""
    return "KILL was used 1 times" if room.mariadb else "probably ended on purpose"


def test_a_statement_killed_after_obey_kill_after_is_not_sent_again(room, run):
    connection = room.connect(Policy(obey_kill_after=0.5), autocommit=True)
    heard = room.overhear()
    started = time.monotonic()

    def kill():
        thread_id = room.in_flight("SELECT SLEEP")
        time.sleep(max(0, started + 0.8 - time.monotonic()))
        room.ask(f"KILL {thread_id}")

    killing = room.meanwhile(kill)
    with pytest.raises(stillhere.StatementKilled, match=kills_seen(room)):
        run(connection, "SELECT SLEEP(8)")
    killing.join()
    assert heard.count("SELECT SLEEP(8)") == 1
    assert run(connection, "SELECT 1") == ((1,),)


def test_a_statement_killed_before_obey_kill_after_is_sent_again(room, run):
    connection = room.connect(Policy(obey_kill_after=30), autocommit=True)
    killing = room.meanwhile(lambda: room.ask(f"KILL {room.in_flight('SELECT SLEEP')}"))
    assert run(connection, "SELECT SLEEP(0.5)") == ((0,),)
    killing.join()
    assert room.actions == ["RESEND_READ_ONLY"]


def test_a_long_statement_whose_thread_goes_on_was_not_killed(room, run):
    """The network alone was lost: the server still has the thread, at work on it."""
    connection = room.connect(Policy(obey_kill_after=0.5), autocommit=True)

    def silence():
        room.in_flight("SELECT SLEEP(2)")
        time.sleep(0.7)
        room.wire.black_hole(to_client=False)
        room.wire.half_close_all()

    silencing = room.meanwhile(silence)
    assert run(connection, "SELECT SLEEP(2)") == ((0,),)
    silencing.join()
    assert room.actions == ["RESEND_READ_ONLY"]


@pytest.mark.parametrize("call", ["statement", "commit"])
def test_a_transaction_killed_after_obey_kill_after_is_not_replayed(room, rows, run, call):
    connection = room.connect(Policy(obey_kill_after=0.3))
    run(connection, "UPDATE t SET v = 0")
    time.sleep(0.4)
    room.kill(connection.thread_id())
    with pytest.raises(stillhere.TransactionKilled, match=kills_seen(room)):
        connection.commit() if call == "commit" else run(connection, "SELECT 1")
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    assert room.ask("SELECT SUM(v) FROM t") == [(60,)]


def test_a_clients_own_read_timeout_is_never_sent_again(room, rows, run):
    connection = room.connect(read_timeout=1, autocommit=True)
    heard = room.overhear()
    with pytest.raises(stillhere.StatementTimeout, match="read timeout"):
        run(connection, "SELECT SLEEP(3)")
    assert heard.count("SELECT SLEEP(3)") == 1
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((10,),)


def test_after_a_read_timeout_in_a_transaction_only_rollback_leads_on(room, rows, run):
    connection = room.connect(read_timeout=1)
    run(connection, "UPDATE t SET v = 0")
    with pytest.raises(stillhere.StatementTimeout):
        run(connection, "SELECT SLEEP(3)")
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    run(connection, "UPDATE t SET v = 1 WHERE id = 1")  # its ghost holds this row's lock until it is fenced
    connection.commit()
    assert room.ask("SELECT v FROM t ORDER BY id") == [(1,), (20,), (30,)]


@pytest.mark.parametrize("driver", ["mysqlclient"])
def test_a_statement_in_flight_at_two_crashes_is_not_sent_a_third_time(room, run):
    connection = room.connect(Policy(ride_through=30), autocommit=True)
    heard = room.overhear()

    def crash_twice():
        for _ in range(2):
            room.in_flight("SELECT SLEEP")
            # Two starts within two seconds can't be told from one: a server tells its uptime in whole seconds.
            while int(room.ask("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) < 4:
                time.sleep(0.2)
            room.server.crash()
            room.server.start()

    crashing = room.meanwhile(crash_twice)
    with pytest.raises(stillhere.PoisonStatement, match="two crashes"):
        run(connection, "SELECT SLEEP(20)")
    crashing.join()
    assert heard.count("SELECT SLEEP(20)") == 2
    assert run(connection, "SELECT 1") == ((1,),)


def test_the_stricter_hook_refuses_and_is_quoted(room, rows, run):
    connection = room.connect(Policy(stricter=lambda loss: f"not on {loss.statement}"), autocommit=True)
    run(connection, "SELECT 1")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT v FROM t")
    assert any("not on SELECT" in note for note in caught.value.__notes__)
