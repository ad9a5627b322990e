"""Losses inside transactions: what is replayed, and how a COMMIT or ROLLBACK that was lost is settled."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere import events
from stillhere.lab.wire import When


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER_EXECUTED])
@pytest.mark.parametrize("lost", ["INSERT", "SELECT", "SAVEPOINT", "UPDATE", "ROLLBACK TO", "DELETE", "RELEASE"])
def test_a_transaction_cut_at_any_statement_goes_on_as_if_nothing_were(room, rows, run, lost, when):
    connection = room.connect()
    cut = room.cut(lost, when)
    run(connection, "INSERT INTO t (v) VALUES (40)")
    new_id = run(connection, "SELECT MAX(id) FROM t")[0][0]
    run(connection, "SAVEPOINT s")
    run(connection, "UPDATE t SET v = 0")
    run(connection, "ROLLBACK TO SAVEPOINT s")
    run(connection, "DELETE FROM t WHERE id = 1")
    run(connection, "RELEASE SAVEPOINT s")
    connection.commit()
    assert cut.hits == 1
    assert room.actions[0] in {"REPLAY", "RESEND"}
    assert room.ask("SELECT id, v FROM t ORDER BY id") == [(2, 20), (3, 30), (new_id, 40)]


def test_a_transaction_that_lost_its_connection_while_the_application_thought_goes_on(room, rows, run):
    connection = room.connect()
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 1")
    room.lose_idle()
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((11,),)
    connection.commit()
    assert room.actions == ["REPLAY"]
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]


def test_a_transaction_begun_explicitly_is_begun_again(room, rows, run):
    connection = room.connect(autocommit=True)
    connection.begin()
    run(connection, "UPDATE t SET v = 0")
    room.lose_idle()
    run(connection, "DELETE FROM t WHERE id = 3")
    assert room.count() == 3
    connection.rollback()
    assert room.ask("SELECT SUM(v) FROM t") == [(60,)]


def test_a_begin_whose_reply_was_lost_begins(room, rows, run):
    connection = room.connect(autocommit=True)
    room.cut("START TRANSACTION")
    run(connection, "START TRANSACTION")
    run(connection, "DELETE FROM t")
    connection.rollback()
    assert room.count() == 3


def test_ddl_whose_reply_was_lost_after_writes_leaves_the_commit_unknown(room, rows, run):
    connection = room.connect()
    run(connection, "DELETE FROM t WHERE id = 1")
    room.cut("CREATE TABLE n")
    with pytest.raises(stillhere.CommitOutcomeUnknown):
        run(connection, "CREATE TABLE n (a INT)")
    assert room.count() == 2  # it did commit


def test_ddl_whose_reply_was_lost_after_reads_is_itself_unknown(room, rows, run):
    connection = room.connect()
    run(connection, "SELECT 1")
    room.cut("CREATE TABLE n")
    with pytest.raises(stillhere.StatementOutcomeUnknown):
        run(connection, "CREATE TABLE n (a INT)")


def test_ddl_that_was_certainly_not_sent_is_run_after_a_replay(room, rows, run):
    connection = room.connect()
    run(connection, "DELETE FROM t WHERE id = 1")
    room.lose_idle()
    run(connection, "CREATE TABLE n (a INT)")
    assert room.count() == 2
    assert room.count("n") == 0


@pytest.mark.parametrize("when", [None, When.BEFORE, When.AFTER_EXECUTED])
def test_a_lost_commit_of_reads_succeeds(room, rows, run, when):
    connection = room.connect()
    run(connection, "SELECT v FROM t")
    if when is None:
        room.lose_idle()
    else:
        room.cut("COMMIT", when)
    connection.commit()
    assert room.actions == ["CONFIRM_READS"]
    assert len(run(connection, "SELECT v FROM t")) == 3


def test_a_lost_commit_of_reads_of_which_one_writes_is_unknown(room, table, run):
    room.ask("CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN INSERT INTO t (v) VALUES (7); RETURN 1; END")
    connection = room.connect()
    run(connection, "SELECT f()")
    room.cut("COMMIT")
    with pytest.raises(stillhere.CommitOutcomeUnknown, match="one of its reads writes"):
        connection.commit()
    assert room.count() == 1


def test_a_commit_that_was_certainly_not_sent_commits_exactly_once(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    room.lose_idle()
    connection.commit()
    assert room.actions == ["REPLAY_AND_COMMIT"]
    assert room.ask("SELECT id, v FROM t WHERE v = 40") == [(4, 40)]


def test_a_commit_is_preceded_by_a_look_however_soon_it_comes(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    room.wire.reset_all()
    connection.commit()
    assert room.actions == ["REPLAY_AND_COMMIT"]
    assert room.count() == 4


@pytest.mark.parametrize(("when", "count"), [(When.BEFORE, 3), (When.AFTER_EXECUTED, 4)])
def test_a_commit_whose_reply_was_lost_is_unknown_and_only_rollback_leads_on(room, rows, run, when, count):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    cut = room.cut("COMMIT", when, times=None)
    with pytest.raises(stillhere.CommitOutcomeUnknown) as caught:
        connection.commit()
    assert isinstance(caught.value, room.dbapi.OperationalError)
    for again in (connection.commit, lambda: run(connection, "SELECT 1"), connection.begin):
        with pytest.raises(stillhere.TransactionLost):
            again()
    connection.rollback()
    assert cut.hits == 1
    cut.disarm()
    assert len(run(connection, "SELECT v FROM t")) == count
    assert room.count() == count


def test_a_commit_by_statement_is_a_commit(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    cut = room.cut("COMMIT")
    with pytest.raises(stillhere.CommitOutcomeUnknown):
        run(connection, "COMMIT")
    assert cut.hits == 1
    assert room.count() == 4


@pytest.mark.parametrize("when", [None, When.BEFORE, When.AFTER_EXECUTED])
def test_a_lost_rollback_succeeds_and_its_ghost_blocks_nobody(room, rows, run, when):
    """The server's side of the lost connection stays open and holds its row locks, until the fence ends it."""
    connection = room.connect()
    run(connection, "UPDATE t SET v = 99 WHERE id = 1")
    if when is None:
        room.wire.black_hole(to_client=False)
        room.wire.half_close_all()  # the client sees an end of file, the server nothing
        time.sleep(0.06)
    else:
        room.cut("ROLLBACK", when, ghost=True)
    connection.rollback()
    assert not room.recorded(events.Replay)
    started = time.monotonic()
    run(connection, "UPDATE t SET v = 11 WHERE id = 1")
    connection.commit()
    assert time.monotonic() - started < 5
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]


def test_a_replay_ends_the_ghost_that_holds_its_row_locks(room, rows, run):
    connection = room.connect()
    run(connection, "UPDATE t SET v = 99 WHERE id = 1")
    room.cut("SELECT", When.BEFORE, ghost=True)
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((99,),)
    connection.commit()
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(99,)]


def test_nothing_is_run_again_after_a_rollback(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    connection.rollback()
    room.lose_idle()
    run(connection, "INSERT INTO t (v) VALUES (50)")
    connection.commit()
    assert [v for (v,) in room.ask("SELECT v FROM t WHERE id > 3")] == [50]


def test_a_transaction_is_continued_three_times_and_no_more(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    for _ in range(3):
        room.lose_idle()
        run(connection, "SELECT v FROM t")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT v FROM t")
    assert any("continued 3 times" in note for note in caught.value.__notes__)
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    assert room.count() == 3


def test_a_loss_in_the_middle_of_the_replay_starts_it_anew(room, rows, run):
    connection = room.connect()
    run(connection, "INSERT INTO t (v) VALUES (40)")
    run(connection, "UPDATE t SET v = 0 WHERE id = 1")
    room.lose_idle()
    cut = room.cut("UPDATE")
    assert run(connection, "SELECT SUM(v) FROM t") == ((90,),)
    connection.commit()
    assert cut.hits == 1
    assert room.ask("SELECT SUM(v), COUNT(*) FROM t") == [(90, 4)]


def test_a_deadlock_empties_the_journal(room, rows, run):
    """The server has rolled back by itself: what came before is not run again with what follows."""
    one, other = room.connect(), room.connect()
    run(one, "UPDATE t SET v = 1 WHERE id = 1")
    run(other, "UPDATE t SET v = 1 WHERE id = 2")
    run(other, "INSERT INTO t (v) VALUES (40), (50), (60)")  # the one with fewer changes is the victim
    waiting = room.meanwhile(lambda: run(other, "UPDATE t SET v = 2 WHERE id = 1"))
    room.in_flight("UPDATE t SET v = 2")
    with pytest.raises(room.dbapi.OperationalError, match="1213"):
        run(one, "UPDATE t SET v = 2 WHERE id = 2")
    waiting.join()
    other.rollback()
    room.lose_idle()
    run(one, "UPDATE t SET v = 33 WHERE id = 3")
    one.commit()
    assert room.ask("SELECT v FROM t ORDER BY id") == [(10,), (20,), (33,)]


def test_replay_switched_off_ends_in_the_drivers_own_error(room, rows, run):
    connection = room.connect(stillhere.Policy(replay=False))
    run(connection, "INSERT INTO t (v) VALUES (40)")
    room.lose_idle()
    with pytest.raises(room.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert any("replay is switched off" in note for note in caught.value.__notes__)
    connection.rollback()
    assert room.count() == 3
