"""What a replay compares with what the application saw, and that a difference commits nothing."""

from __future__ import annotations

import pytest

import stillhere
from stillhere import Policy, events


def diverges(room, connection, run, what, sql="SELECT 1"):
    with pytest.raises(stillhere.ReplayDiverged, match=what) as caught:
        run(connection, sql)
    assert "secret" not in str(caught.value)
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    assert [replay.same for replay in room.recorded(events.Replay)] == [False]


def test_an_argument_dictionary_that_the_application_used_again_replays_what_was_sent(room, table, run):
    connection = room.connect()
    arguments = {"v": 1}
    for value in (1, 2, 3):
        arguments["v"] = value
        run(connection, "INSERT INTO t (v) VALUES (%(v)s)", arguments)
    arguments["v"] = 99
    room.lose_idle()
    assert run(connection, "SELECT v FROM t ORDER BY id") == ((1,), (2,), (3,))
    connection.commit()
    assert room.ask("SELECT v FROM t ORDER BY id") == [(1,), (2,), (3,)]


def test_a_mutable_argument_and_mutable_rows_do_not_change_the_replay(room, rows, run):
    connection = room.connect()
    cursor = connection.cursor(room.dbapi.cursors.DictCursor)
    cursor.execute("SELECT id, v FROM t ORDER BY id")
    for row in cursor.fetchall():
        row["v"] = "secret"
    room.lose_idle()
    assert run(connection, "SELECT COUNT(*) FROM t") == ((3,),)
    connection.rollback()


def test_a_row_changed_by_another_session_is_seen(room, rows, run):
    connection = room.connect()
    run(connection, "SELECT v FROM t WHERE id = 1")
    run(connection, "UPDATE t SET v = 0 WHERE id = 2")
    room.lose_idle()
    room.ask("UPDATE t SET v = 11 WHERE id = 1")
    diverges(room, connection, run, r"statement 1 of 2 \(SELECT\).*rows")
    assert room.ask("SELECT v FROM t ORDER BY id") == [(11,), (20,), (30,)]


def test_a_row_count_that_differs_is_seen(room, rows, run):
    connection = room.connect()
    run(connection, "UPDATE t SET v = 0 WHERE v > 15")
    room.lose_idle()
    room.ask("DELETE FROM t WHERE id = 3")
    diverges(room, connection, run, "row count")
    assert room.ask("SELECT v FROM t ORDER BY id") == [(10,), (20,)]


def test_an_id_that_another_session_took_is_seen(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    room.lose_idle()
    room.ask("INSERT INTO t VALUES (4, 400)")
    diverges(room, connection, run, "error number 1062 where it was none")
    assert room.ask("SELECT v FROM t WHERE id >= 4") == [(400,)]


def test_an_error_that_the_application_saw_is_expected_again(room, rows, run):
    connection = room.connect()
    with pytest.raises(room.dbapi.IntegrityError):
        run(connection, "INSERT INTO t VALUES (1, 1)")
    run(connection, "UPDATE t SET v = 0 WHERE id = 2")
    room.lose_idle()
    assert run(connection, "SELECT v FROM t ORDER BY id") == ((10,), (0,), (30,))
    connection.commit()
    assert room.actions == ["REPLAY"]


def test_an_error_that_does_not_come_again_is_seen(room, rows, run):
    connection = room.connect()
    with pytest.raises(room.dbapi.IntegrityError):
        run(connection, "INSERT INTO t VALUES (1, 1)")
    run(connection, "SELECT 1")
    room.lose_idle()  # the failed INSERT left a lock on the row that it met
    room.ask("DELETE FROM t WHERE id = 1")
    diverges(room, connection, run, "error number none where it was 1062")


def test_the_type_of_a_value_counts(room, rows, run):
    connection = room.connect()
    run(connection, "SELECT v FROM t WHERE id = 1")
    room.lose_idle()
    room.ask("ALTER TABLE t MODIFY v VARCHAR(10)")
    diverges(room, connection, run, "rows|columns")


def test_warnings_count(room, rows, run):
    connection = room.connect()
    run(connection, "SELECT v + '1' FROM t WHERE id = 1")
    room.lose_idle()
    room.ask("ALTER TABLE t MODIFY v VARCHAR(10)")
    room.ask("UPDATE t SET v = '10x' WHERE id = 1")
    diverges(room, connection, run, "rows|columns|warning")


def test_no_difference_is_no_difference_at_commit_either(room, rows, run):
    connection = room.connect()
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((10,),)
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 1")
    room.lose_idle()
    room.ask("UPDATE t SET v = 11 WHERE id = 1")
    with pytest.raises(stillhere.ReplayDiverged):
        connection.commit()
    connection.rollback()
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]


def test_more_rows_than_are_kept_are_compared_as_well(room, table, run):
    room.ask("INSERT INTO t (v) VALUES " + ", ".join("(1)" for _ in range(300)))
    connection = room.connect()
    run(connection, "SELECT v FROM t")
    room.lose_idle()
    room.ask("UPDATE t SET v = 2 WHERE id = 150")
    diverges(room, connection, run, "rows")


def test_the_rows_of_an_executemany_are_replayed_as_they_were_batched(room, table, run):
    connection = room.connect()
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t (v) VALUES (%s)", [(n,) for n in range(50)])
        assert cursor.rowcount == 50
    room.lose_idle()
    assert run(connection, "SELECT COUNT(*), MAX(id) FROM t") == ((50, 50),)
    connection.commit()
    assert room.count() == 50


def test_a_journal_past_its_limit_goes_on_and_is_not_replayed(room, table, run):
    connection = room.connect(Policy(journal_statements=3))
    for n in range(5):
        run(connection, "INSERT INTO t (v) VALUES (%s)", (n,))
    connection.commit()
    assert room.count() == 5
    for n in range(5):
        run(connection, "INSERT INTO t (v) VALUES (%s)", (n,))
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert any("journal_statements = 3" in note for note in caught.value.__notes__)
    connection.rollback()
    assert room.count() == 5
