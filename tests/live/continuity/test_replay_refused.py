"""Transactions that are not run again, each because it could not be told from doing something twice or otherwise."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere import Policy


def refused(room, connection, run, words, call=None):
    """Lose the connection and expect the driver's own error with these words in its note."""
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        call() if call else run(connection, "SELECT 1")
    assert not isinstance(caught.value, stillhere.StillhereError)
    notes = " ".join(caught.value.__notes__)
    assert words in notes, notes
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    assert run(connection, "SELECT 1") == ((1,),)


@pytest.mark.parametrize("call", ["statement", "commit"])
def test_a_write_to_a_table_that_rollback_does_not_undo_is_refused_by_name(room, run, call):
    room.ask("CREATE TABLE ledger (a INT) ENGINE=MyISAM")
    connection = room.connect()
    run(connection, "INSERT INTO ledger VALUES (1)")
    refused(
        room, connection, run, "table ledger is in the MyISAM engine", connection.commit if call == "commit" else None
    )
    assert room.count("ledger") == 1


@pytest.mark.parametrize("engine", ["MyISAM", "MEMORY"])
def test_the_statement_that_was_lost_itself_counts(room, rows, run, engine):
    """Not yet in the journal: it may have been executed, and stays."""
    room.ask(f"CREATE TABLE ledger (a INT) ENGINE={engine}")
    connection = room.connect()
    run(connection, "UPDATE t SET v = 0")
    room.cut("INSERT INTO ledger")
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "INSERT INTO ledger VALUES (1)")
    assert any(f"{engine} engine" in note for note in caught.value.__notes__)
    connection.rollback()
    assert room.count("ledger") == 1


@pytest.mark.parametrize("by", ["trigger", "view", "function"])
def test_a_write_that_reaches_such_a_table_by_a_detour_is_refused(room, rows, run, by):
    room.ask("CREATE TABLE ledger (a INT) ENGINE=MyISAM")
    sql = "UPDATE t SET v = v + 1 WHERE id = 1"
    if by == "trigger":
        room.ask("CREATE TRIGGER g AFTER UPDATE ON t FOR EACH ROW INSERT INTO ledger VALUES (1)")
    elif by == "view":
        room.ask("CREATE VIEW w AS SELECT a FROM ledger")
        sql = "INSERT INTO w VALUES (1)"
    else:
        room.ask("CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN INSERT INTO ledger VALUES (1); RETURN 1; END")
        sql = "UPDATE t SET v = f() WHERE id = 1"
    connection = room.connect()
    run(connection, sql)
    assert room.count("ledger") == 1
    refused(room, connection, run, f" {by} " if by != "function" else "stored function")
    assert room.count("ledger") == 1


@pytest.mark.parametrize("when", ["before it", "in it"])
@pytest.mark.parametrize("by", ["function", "view"])
def test_a_read_that_writes_to_such_a_table_is_refused(room, rows, run, by, when):
    """Alone in its transaction, and lost after it or with its own reply: the row stays, and there is one."""
    room.ask("CREATE TABLE ledger (a INT) ENGINE=MyISAM")
    room.ask("CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN INSERT INTO ledger VALUES (1); RETURN 1; END")
    room.ask("CREATE VIEW w AS SELECT f() AS a")
    connection = room.connect()
    sql = "SELECT f()" if by == "function" else "SELECT a FROM w"
    if when == "in it":
        room.cut("SELECT")
    else:
        run(connection, sql)
        room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, sql if when == "in it" else "SELECT 1")
    assert any("may write to them" in note for note in caught.value.__notes__)
    connection.rollback()
    assert room.count("ledger") == 1


def test_such_a_table_that_nothing_reaches_hinders_nobody(room, rows, run):
    room.ask("CREATE TABLE ledger (a INT) ENGINE=MyISAM")
    connection = room.connect()
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 1")
    room.lose_idle()
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((11,),)
    connection.commit()


def test_a_table_in_another_schema_is_looked_up_there(room, rows, run):
    other = f"{room.database}_b"
    room.ask(f"CREATE DATABASE {other}")
    try:
        room.ask(f"CREATE TABLE {other}.ledger (a INT) ENGINE=MyISAM")
        connection = room.connect()
        run(connection, f"INSERT INTO {other}.ledger VALUES (1)")
        refused(room, connection, run, "table ledger")
    finally:
        room.ask(f"DROP DATABASE {other}")


def test_a_trigger_in_another_schema_is_looked_up_there(room, rows, run):
    """The table is transactional, and written by its full name; what its trigger writes to is not."""
    other = f"{room.database}_b"
    room.ask(f"CREATE DATABASE {other}")
    try:
        room.ask(f"CREATE TABLE {other}.u (a INT)")
        room.ask(f"CREATE TABLE {other}.ledger (a INT) ENGINE=MyISAM")
        room.ask(
            f"CREATE TRIGGER {other}.g AFTER INSERT ON {other}.u FOR EACH ROW INSERT INTO {other}.ledger VALUES (1)"
        )
        connection = room.connect()
        run(connection, f"INSERT INTO {other}.u VALUES (1)")
        refused(room, connection, run, "trigger g")
        assert room.count(f"{other}.ledger") == 1
    finally:
        room.ask(f"DROP DATABASE {other}")


def test_a_before_insert_trigger_is_refused_since_it_may_take_the_forced_id(room, table, run):
    room.ask("CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    room.ask("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW INSERT INTO log (v) VALUES (1)")
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (1)")
    refused(room, connection, run, "BEFORE INSERT trigger g")
    assert room.count() == room.count("log") == 0


def test_a_consistent_snapshot_is_refused(room, rows, run):
    connection = room.connect(autocommit=True)
    run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    refused(room, connection, run, "CONSISTENT SNAPSHOT")


@pytest.mark.parametrize("lock", ["FOR UPDATE", "LOCK IN SHARE MODE"])
def test_row_locks_taken_by_reading_are_not_taken_again_after_replay_locks_within(room, rows, run, lock):
    connection = room.connect(Policy(replay_locks_within=0.2))
    run(connection, f"SELECT v FROM t WHERE id = 1 {lock}")
    time.sleep(0.25)
    refused(room, connection, run, "replay_locks_within")


def test_row_locks_taken_by_reading_are_taken_again_soon_after_the_loss(room, rows, run):
    connection = room.connect(Policy(replay_locks_within=5))
    run(connection, "SELECT v FROM t WHERE id = 1 FOR UPDATE")
    room.lose_idle()
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 1")
    connection.commit()
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CALL p()", "CALL"),
        ("DO 1", "DO"),
        ("SELECT 1 INTO @a", "user variable"),
        ("WITH x AS (SELECT 1 AS a) UPDATE t SET v = 1 WHERE id IN (SELECT a FROM x)", "WITH"),
        ("SELECT 1; SELECT 2", "SELECT"),
        ("SELECT 1 /*! + 1 */", "SELECT"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN"),
        ("ANALYZE SELECT 1", "ANALYZE"),
        ("SET STATEMENT max_statement_time=9 FOR SELECT 1", "SET"),
    ],
)
def test_what_is_not_on_the_whitelist_is_not_run_again(room, rows, run, sql, words):
    room.ask("CREATE PROCEDURE p() UPDATE t SET v = v + 1")
    connection = room.connect()
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 3")
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass
    except room.dbapi.Error:  # several statements (PyMySQL's default), or WITH … UPDATE (MariaDB): not accepted
        pytest.skip("not accepted here")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert words in " ".join(caught.value.__notes__)
    connection.rollback()


def test_a_statement_that_ended_in_a_lock_wait_timeout_spoils_the_transaction(room, rows, run):
    holder = room.connect()
    run(holder, "UPDATE t SET v = 0 WHERE id = 1")
    connection = room.connect()
    run(connection, "SET innodb_lock_wait_timeout = 1")
    run(connection, "UPDATE t SET v = 5 WHERE id = 2")
    with pytest.raises(room.dbapi.OperationalError, match="1205"):
        run(connection, "UPDATE t SET v = 5 WHERE id = 1")
    holder.rollback()
    refused(room, connection, run, "1205")


def test_another_server_at_the_address_is_refused(room, rows, run, mariadb, mysql):
    """As after a failover: it may lack what was acknowledged."""
    other = mysql if room.mariadb else mariadb
    other.start()
    connection = room.connect()
    run(connection, "UPDATE t SET v = 0")
    other.execute(f"CREATE DATABASE {room.database}")
    before = room.wire.target
    try:
        room.wire.target = (other.host, other.port)
        room.lose_idle()
        with pytest.raises(room.dbapi.OperationalError) as caught:
            run(connection, "SELECT 1")
        assert any("another server answers" in note for note in caught.value.__notes__)
        connection.rollback()
    finally:
        room.wire.target = before
        other.execute(f"DROP DATABASE {room.database}")
