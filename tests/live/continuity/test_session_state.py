"""Session state over losses: restored in the order in which it was set, and never what belonged elsewhere."""

from __future__ import annotations

import time

import pytest

import stillhere


@pytest.fixture(params=["idle", "in a transaction"])
def lose(request, room, run):
    """Lose the connection, with or without a transaction that has to be replayed."""

    def act(connection):
        if request.param == "in a transaction":
            connection.begin()
            run(connection, "INSERT INTO t (v) VALUES (1)")
        room.lose_idle()
        assert run(connection, "SELECT 1") == ((1,),)
        assert room.actions

    return act


def isolation(room):
    return "@@tx_isolation" if room.mariadb else "@@transaction_isolation"


def test_what_was_set_is_set_again(room, table, run, lose):
    room.ask(f"CREATE DATABASE {room.database}_b")
    connection = room.connect(autocommit=True)
    try:
        for sql in (
            "SET SESSION group_concat_max_len = 4321",
            "SET @a = 'x', @b = 2",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "SET time_zone = '+03:00'",
            "SET NAMES latin1",
        ):
            run(connection, sql)
        lose(connection)
        question = f"SELECT @@group_concat_max_len, @a, @b, {isolation(room)}, @@time_zone, @@character_set_client"
        assert run(connection, question) == ((4321, "x", 2, "READ-COMMITTED", "+03:00", "latin1"),)
    finally:
        room.ask(f"DROP DATABASE {room.database}_b")


def test_settings_are_restored_in_their_order(room, table, run, lose):
    """The second reads under the mode that the first set; the last value wins."""
    connection = room.connect(autocommit=True)
    run(connection, "SET sql_mode = 'ANSI_QUOTES'")
    run(connection, "SET sql_mode = ''")
    run(connection, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
    run(connection, r"SET @a = '\'")
    run(connection, "SET @a = 'b'")
    lose(connection)
    assert run(connection, "SELECT @@sql_mode, @a") == (("NO_BACKSLASH_ESCAPES", "b"),)


@pytest.mark.parametrize("way", ["statement", "method"])
def test_the_default_database_is_restored(room, table, run, lose, way):
    other = f"{room.database}_b"
    room.ask(f"CREATE DATABASE {other}")
    room.ask(f"CREATE TABLE {other}.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    try:
        connection = room.connect(autocommit=True)
        run(connection, f"USE {other}") if way == "statement" else connection.select_db(other)
        lose(connection)
        assert run(connection, "SELECT DATABASE()") == ((other,),)
        connection.rollback()
    finally:
        room.ask(f"DROP DATABASE {other}")


def test_autocommit_is_restored(room, table, run):
    connection = room.connect()
    connection.autocommit(True)
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    assert room.count() == 1
    connection.autocommit(False)
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (2)")
    assert room.count() == 1
    assert not connection.get_autocommit()
    connection.rollback()


def test_autocommit_set_by_statement_is_restored(room, table, run):
    connection = room.connect()
    run(connection, "SET autocommit = 1")
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    assert room.count() == 1


def test_a_character_set_changed_by_the_method_is_restored_for_server_and_driver(room, table, run):
    connection = room.connect(autocommit=True)
    connection.set_character_set("latin1")
    room.lose_idle()
    assert run(connection, "SELECT @@character_set_client, HEX('\u00e9')") == (("latin1", "E9"),)


def test_a_setting_made_in_a_transaction_is_kept_after_its_rollback(room, table, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    run(connection, "SET @a = 5")
    run(connection, "SET SESSION group_concat_max_len = 4321")
    connection.rollback()
    room.lose_idle()
    assert run(connection, "SELECT @a, @@group_concat_max_len") == ((5, 4321),)


def test_a_setting_made_in_a_transaction_is_replayed_in_its_place(room, table, run):
    connection = room.connect()
    run(connection, "SET @a = 1")
    run(connection, "INSERT INTO t (v) VALUES (@a)")
    run(connection, "SET @a = 2")
    run(connection, "INSERT INTO t (v) VALUES (@a)")
    room.lose_idle()
    assert run(connection, "SELECT v FROM t ORDER BY id") == ((1,), (2,))
    connection.commit()


def test_set_transaction_is_for_one_transaction_only(room, table, run):
    """Lost before its transaction begins, it is set again; after that it is not."""
    connection = room.connect(autocommit=True)
    run(connection, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
    room.lose_idle()
    connection.begin()
    other = room.connect()
    run(other, "INSERT INTO t (v) VALUES (7)")
    assert run(connection, "SELECT v FROM t") == ((7,),)  # uncommitted, and seen
    connection.commit()
    room.lose_idle()
    run(other, "UPDATE t SET v = 8")
    connection.begin()
    assert run(connection, "SELECT v FROM t") == ()
    connection.rollback()
    other.rollback()


@pytest.mark.parametrize("sql", ["SELECT LAST_INSERT_ID()", "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()"])
def test_a_question_about_a_statement_before_the_loss_is_refused(room, rows, run, sql):
    connection = room.connect(autocommit=True)
    run(connection, "INSERT INTO t (v) VALUES (40)")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, sql)
    assert any("asks about" in note for note in caught.value.__notes__)
    assert run(connection, "SELECT 1") == ((1,),)


def test_a_question_about_a_statement_of_unknown_outcome_is_refused(room, rows, run):
    connection = room.connect(autocommit=True)
    room.cut("INSERT")
    with pytest.raises(stillhere.StatementOutcomeUnknown):
        run(connection, "INSERT INTO t (v) VALUES (40)")
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT LAST_INSERT_ID()")
    assert any("asks about" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("before", "sql", "answer"),
    [
        ("INSERT INTO t (v) VALUES (40), (50)", "SELECT LAST_INSERT_ID()", 4),
        ("UPDATE t SET v = v + 1", "SELECT ROW_COUNT()", 3),
        ("SELECT v FROM t WHERE id < 3", "SELECT FOUND_ROWS()", 2),
    ],
)
def test_a_question_about_a_statement_that_was_replayed_is_answered_right(room, rows, run, before, sql, answer):
    connection = room.connect()
    run(connection, before)
    room.lose_idle()
    assert run(connection, sql) == ((answer,),)
    connection.rollback()


def test_a_loss_does_not_leave_a_transaction_open_in_autocommit_mode(room, table, run):
    """A snapshot taken while the connection was restored would be older than the application's first statement."""
    connection = room.connect()
    room.lose_idle()
    run(connection, "SET @a = 1")  # restores; begins nothing
    time.sleep(0.01)
    room.ask("INSERT INTO t (v) VALUES (1)")
    assert run(connection, "SELECT COUNT(*) FROM t") == ((1,),)
    connection.rollback()
