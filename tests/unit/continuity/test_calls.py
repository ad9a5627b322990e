"""Calls on the connection itself, below any cursor; and what an unusual statement does to the ledger."""

from __future__ import annotations

import pytest

from stillhere.continuity.states import LinkState
from stillhere.errors import CommitOutcomeUnknown, StatementOutcomeUnknown, StreamInterrupted, TransactionLost
from stillhere.testing.fake_driver import OperationalError, SSCursor
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError

UPDATE = "UPDATE t SET x = x + 1 WHERE id = 1"
CALLS = {
    "begin": (lambda c: c.begin(), b"BEGIN"),
    "select_db": (lambda c: c.select_db("other"), b"USE `other`"),
    "select_db of bytes": (lambda c: c.select_db(b"other"), b"USE `other`"),
    "set_character_set": (lambda c: c.set_character_set("latin1", "latin1_bin"), b"SET NAMES latin1"),
    "autocommit": (lambda c: c.autocommit(on=False), b"SET autocommit=0"),
    "ping": (lambda c: c.ping(), b"SELECT 1"),
    "query": (lambda c: c.query("SELECT x FROM t"), b"SELECT x FROM t"),
    "query of bytes": (lambda c: c.query(b"SELECT x FROM t"), b"SELECT x FROM t"),
}


@pytest.mark.parametrize("step", [Step.SEND, Step.REPLY])
@pytest.mark.parametrize("name", CALLS)
def test_a_loss_in_a_call_that_changes_nothing_twice_goes_unnoticed(rig, server, run, idle, name, step):
    call, sql = CALLS[name]
    connection = rig.connect(autocommit=True)
    planned = server.break_at(step, sql)
    call(connection)
    assert planned.times == 0
    assert server.statements(connection.thread_id())[-1].startswith((sql, b"COMMIT"))
    before = (connection.session.database, connection.session.autocommit, connection.encoding)
    connection.commit()
    server.cut()
    idle(connection)
    run(connection, "SELECT 1")
    assert (connection.session.database, connection.session.autocommit, connection.encoding) == before


@pytest.mark.parametrize("name", CALLS)
def test_a_call_after_an_idle_loss_finds_a_new_connection(rig, server, idle, name):
    connection = rig.connect(autocommit=True)
    server.cut()
    idle(connection)
    CALLS[name][0](connection)
    assert connection.thread_id() == 9
    assert connection._stillhere.state is LinkState.READY


@pytest.mark.parametrize("name", CALLS)
def test_an_error_of_the_servers_is_passed_on_as_it_is(rig, server, name):
    call, sql = CALLS[name]
    connection = rig.connect(autocommit=True)
    server.answer(sql, ServerError(1227, "Access denied"))
    with pytest.raises(OperationalError) as caught:
        call(connection)
    assert caught.value.args[0] == 1227
    assert connection.thread_id() == 8


def test_a_write_below_the_cursor_is_unknown_like_any_other(rig, server):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"UPDATE")
    with pytest.raises(StatementOutcomeUnknown):
        connection.query(UPDATE)


def test_a_statement_below_the_cursor_spoils_the_replay_but_not_the_transaction(rig, server, run, idle):
    connection = rig.connect()
    connection.query(UPDATE)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)
    connection.query(UPDATE)
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "below the cursor" in caught.value.__notes__[0]


@pytest.mark.parametrize("sql", [b"COMMIT", b"ROLLBACK"])
def test_the_end_of_a_transaction_below_the_cursor_is_one(rig, server, run, sql):
    connection = rig.connect()
    run(connection, UPDATE)
    connection.query(sql)
    assert not connection._stillhere.ledger.journal
    assert server.tables["t"].rows[1] == (1, 11 if sql == b"COMMIT" else 10)


def test_a_change_of_user_pins_the_connection(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    connection.change_user("another")
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "change_user" in caught.value.__notes__[0]


def test_a_procedures_result_sets_are_read_to_the_end(rig, server, run):
    more = (Reply(((2,),), ("a",), 1), Reply())
    server.answer(b"CALL p(1)", Reply(((1,),), ("a",), 1, more=more))
    connection = rig.connect(autocommit=True)
    cursor = connection.cursor()
    cursor.callproc("p", (1,))
    seen = [cursor.fetchall()]
    while cursor.nextset():
        seen.append(cursor.fetchall() if cursor.description else None)
    assert seen == [((1,),), ((2,),), None]
    assert connection.next_result() == -1
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_a_stream_of_several_result_sets_pins_until_the_last(rig, server, run, idle):
    server.answer(b"CALL p()", Reply(((1,),), ("a",), 1, more=(Reply(((2,),), ("a",), 1),)))
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "CALL p()", cursor=SSCursor)
    assert cursor.fetchall() == ((1,),)
    assert cursor.nextset()
    assert connection._stillhere.stream is not None
    server.break_at(Step.ROWS, b"fetch")
    with pytest.raises(StreamInterrupted):
        cursor.fetchall()


def test_an_error_of_the_servers_between_result_sets_is_passed_on(rig, server, run):
    server.answer(b"CALL p()", Reply(((1,),), ("a",), 1, more=(Reply(),)))
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "CALL p()")
    server.break_at(Step.ROWS, b"next_result", error=OperationalError(1690, "out of range"), ghost=True)
    with pytest.raises(OperationalError, match="out of range"):
        cursor.nextset()


# -- the ledger ------------------------------------------------------------------------------------------------------


def test_a_transaction_begun_by_and_chain_is_not_replayed_but_is_one(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "BEGIN")
    run(connection, UPDATE)
    run(connection, "COMMIT AND CHAIN")
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "AND CHAIN" in caught.value.__notes__[0]


def test_a_consistent_snapshot_is_not_taken_again(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "CONSISTENT SNAPSHOT" in caught.value.__notes__[0]


def test_locks_on_tables_that_were_given_back_pin_no_more(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "LOCK TABLES t READ")
    run(connection, "UNLOCK TABLES")
    server.cut()
    idle(connection)
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_what_may_have_committed_before_it_failed_spoils_the_replay(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    server.answer(b"ALTER TABLE", ServerError(1091, "Can't DROP"))
    with pytest.raises(OperationalError):
        run(connection, "ALTER TABLE t DROP y")
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "ALTER failed, and may have committed" in caught.value.__notes__[0]


def test_ddl_ends_the_transaction_before_it(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    run(connection, "CREATE TABLE u (id int)")
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert server.sent(b"UPDATE") == 0
    assert server.tables["t"].rows[1] == (1, 11)


def test_a_variable_set_to_an_expression_in_a_transaction_spoils_and_pins(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    run(connection, "SET @a = NOW()")
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert "user variable" in caught.value.__notes__[0]
    with pytest.raises(TransactionLost):
        connection.commit()


def test_switching_autocommit_off_and_on_by_statement_is_followed(rig, server, run):
    connection = rig.connect(autocommit=True)
    run(connection, "SET autocommit=0")
    assert connection.get_autocommit() is False
    run(connection, UPDATE)
    run(connection, "SET autocommit=1")
    assert connection.get_autocommit() is True
    assert server.tables["t"].rows[1] == (1, 11)


@pytest.mark.parametrize("where", [b"START TRANSACTION READ ONLY", b"SELECT x FROM t"])
def test_losses_while_reads_are_confirmed_are_repaired_and_bounded(rig, server, run, where):
    connection = rig.connect()
    run(connection, "SELECT x FROM t")
    planned = server.break_at(Step.REPLY, where)
    server.break_at(Step.SEND, b"COMMIT", error=2006)
    connection.commit()
    assert planned.times == 0
    run(connection, "SELECT x FROM t")
    planned.times = 1000
    server.break_at(Step.SEND, b"COMMIT", error=2006)
    with pytest.raises((OperationalError, CommitOutcomeUnknown)):
        connection.commit()
    assert planned.times > 950
