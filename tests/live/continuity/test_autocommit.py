"""Losses outside transactions: what is run again, what is confirmed first, and what can't be known."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere.lab.wire import By, When


def thread_id(connection, run):
    return run(connection, "SELECT CONNECTION_ID()")[0][0]


@pytest.mark.parametrize("by", [By.RST, By.FIN])
def test_a_connection_lost_while_idle_is_replaced_unseen(room, run, by):
    connection = room.connect(autocommit=True)
    before = thread_id(connection, run)
    if by is By.RST:
        room.lose_idle()
    else:
        room.wire.half_close_all()
        time.sleep(0.06)
    assert thread_id(connection, run) != before
    assert room.actions == ["RESEND"]


def test_a_connection_killed_while_idle_is_replaced_unseen(room, run):
    connection = room.connect(autocommit=True)
    before = thread_id(connection, run)
    room.kill(before)
    assert thread_id(connection, run) != before


def test_an_idle_connection_outlives_a_restart_of_the_server(room, rows, run):
    connection = room.connect(autocommit=True)
    run(connection, "SELECT v FROM t")
    room.server.restart()
    assert run(connection, "SELECT v FROM t WHERE id = 2") == ((20,),)


def test_a_write_on_a_connection_lost_while_idle_is_done_once(room, table, run):
    connection = room.connect(autocommit=True)
    run(connection, "SELECT 1")
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    assert room.count() == 1
    assert room.actions == ["RESEND"]


def test_a_write_whose_sending_failed_is_done_once_or_said_to_be_unknown(room, table, run):
    """Sent without a look, right after another: only a failed write proves that it did not arrive."""
    connection = room.connect(autocommit=True)
    for _ in range(5):
        run(connection, "SELECT 1")
        room.wire.reset_all()
        try:
            run(connection, "INSERT INTO t (v) VALUES (1)")
        except stillhere.StatementOutcomeUnknown:
            assert room.count() == 0
        else:
            assert room.count() == 1
            room.ask("DELETE FROM t")


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER_EXECUTED])
def test_a_read_whose_reply_was_lost_is_read_again_in_a_read_only_transaction(room, rows, run, when):
    connection = room.connect(autocommit=True)
    room.cut("SELECT v", when)
    heard = room.overhear()
    assert run(connection, "SELECT v FROM t ORDER BY id") == ((10,), (20,), (30,))
    again = len(heard) - 1 - heard[::-1].index("SELECT V FROM T ORDER BY ID")
    assert heard[again - 1] == "START TRANSACTION READ ONLY"
    assert room.actions == ["RESEND_READ_ONLY"]
    # The connection is in autocommit mode again, not inside the transaction that confirmed the read.
    run(connection, "INSERT INTO t (v) VALUES (40)")
    assert room.count() == 4


@pytest.mark.parametrize("by", ["function", "view"])
def test_a_read_that_writes_is_not_read_again(room, table, run, by):
    room.ask("CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN INSERT INTO t (v) VALUES (7); RETURN 1; END")
    room.ask("CREATE VIEW w AS SELECT f() AS a")
    connection = room.connect(autocommit=True)
    room.cut("SELECT")
    with pytest.raises(stillhere.StatementOutcomeUnknown, match="it writes"):
        run(connection, "SELECT f()" if by == "function" else "SELECT a FROM w")
    assert room.count() == 1
    assert run(connection, "SELECT v FROM t") == ((7,),)


@pytest.mark.parametrize(("when", "count"), [(When.BEFORE, 0), (When.HALF, 0), (When.AFTER_EXECUTED, 1)])
def test_a_write_whose_reply_was_lost_is_not_sent_again(room, table, run, when, count):
    connection = room.connect(autocommit=True)
    room.cut("INSERT", when)
    with pytest.raises(stillhere.StatementOutcomeUnknown, match="INSERT") as caught:
        run(connection, "INSERT INTO t (v) VALUES (1)")
    assert isinstance(caught.value, room.dbapi.OperationalError)
    assert caught.value.args[0] == 0
    assert isinstance(caught.value.__cause__, room.dbapi.Error)
    assert room.count() == count
    run(connection, "INSERT INTO t (v) VALUES (2)")  # outside a transaction nothing else is lost
    assert room.count() == count + 1


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE n (a INT)",
        "CALL p()",
        "INSERT INTO t (v) SELECT 1",
        "UPDATE t SET v = v + 1",
        "REPLACE INTO t VALUES (1, 1)",
        "DELETE FROM t",
    ],
)
def test_nothing_that_may_have_written_is_sent_again(room, rows, run, sql):
    room.ask("CREATE PROCEDURE p() INSERT INTO t (v) VALUES (1)")
    connection = room.connect(autocommit=True)
    cut = room.cut(sql, times=None)
    with pytest.raises(stillhere.StatementOutcomeUnknown):
        run(connection, sql)
    assert cut.hits == 1


def test_a_read_that_is_cut_again_and_again_ends_in_the_drivers_own_error(room, rows, run):
    connection = room.connect(autocommit=True)
    cut = room.cut("SELECT v", times=None)
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT v FROM t")
    assert cut.hits == 3
    assert any("continued 2 times" in note for note in caught.value.__notes__)
    cut.disarm()
    assert len(run(connection, "SELECT v FROM t")) == 3
