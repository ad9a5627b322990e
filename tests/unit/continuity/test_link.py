"""Losses outside a transaction: what the application doesn't notice, and what it must be told."""

from __future__ import annotations

import threading

import pytest

from stillhere import events
from stillhere.continuity.states import LinkState
from stillhere.errors import (
    ConnectionMisused,
    PacketTooLarge,
    ServerUnavailable,
    StatementOutcomeUnknown,
    StreamInterrupted,
)
from stillhere.policy import Policy
from stillhere.testing.fake_driver import FAKE, Connection, SSCursor
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError


def test_an_idle_loss_is_repaired_with_prologue_and_settings_in_order(rig, server, run, idle):
    connection = rig.connect(prologue=["SET NAMES utf8mb4", "SET sql_mode = ''"], autocommit=True)
    run(connection, "SET time_zone = '+00:00'")
    connection.select_db("other")
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    server.log.clear()
    assert run(connection, "SELECT x FROM t WHERE id = 1").fetchall() == ((10,),)
    assert rig.own() == [
        b"SET NAMES utf8mb4",
        b"SET sql_mode = ''",
        b"SET time_zone = '+00:00'",
        b"USE `other`",
        b"SET lock_wait_timeout = 5",
        b"SELECT x FROM t WHERE id = 1",
    ]
    assert connection.session.database == "other"


def test_the_object_stays_the_same_and_is_of_the_drivers_class(rig, server, run, idle):
    connection = rig.connect()
    before, number = connection, connection.thread_id()
    server.cut()
    idle(connection)
    run(connection, "SELECT 1")
    assert connection is before
    assert isinstance(connection, Connection)
    assert connection.thread_id() != number


@pytest.mark.parametrize("error", [2006, 2013])
@pytest.mark.parametrize("step", [Step.SEND, Step.HALF_SENT])
def test_the_first_statement_of_a_transaction_is_sent_again_when_it_was_not_sent(rig, server, run, step, error):
    connection = rig.connect()
    server.break_at(step, b"INSERT", error=error)
    run(connection, "INSERT INTO t (x) VALUES (5)")
    connection.commit()
    assert server.tables["t"].rows[3] == (3, 5)
    assert server.sent(b"INSERT INTO t") == 1


def test_the_first_write_of_a_transaction_whose_reply_was_lost_is_run_again_and_committed_once(rig, server, run):
    connection = rig.connect()
    server.break_at(Step.REPLY, b"UPDATE", ghost=True)
    run(connection, "UPDATE t SET x = x + 1 WHERE id = 1")
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)
    assert server.sent(b"KILL CONNECTION 8") == 1


def test_an_autocommitted_read_is_run_again_read_only(rig, server, run):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT x")
    server.log.clear()
    assert run(connection, "SELECT x FROM t").fetchall() == ((10,), (20,))
    assert rig.own()[-3:] == [b"START TRANSACTION READ ONLY", b"SELECT x FROM t", b"COMMIT"]


def test_a_read_that_turns_out_to_write_is_not_run_twice(rig, server, run):
    server.table("audit", "id")

    def audit(session, _sql):
        session.write("audit", (len(server.tables["audit"].rows) + 1,))
        return Reply.of((1,))

    server.answer(b"SELECT audit()", audit)
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT audit()")
    with pytest.raises(StatementOutcomeUnknown, match="the server says that it writes"):
        run(connection, "SELECT audit()")
    assert len(server.tables["audit"].rows) == 1
    assert run(connection, "SELECT 1").fetchall() == ((1,),)


@pytest.mark.parametrize("step", [Step.REPLY, Step.HALF_SENT])
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (x) VALUES (5)",
        "UPDATE t SET x = 5 WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "CREATE TABLE u (id int)",
        "CALL p()",
    ],
)
def test_an_autocommitted_write_that_may_have_been_executed_is_never_sent_again(rig, server, run, sql, step):
    server.answer(b"CALL", Reply())
    connection = rig.connect(autocommit=True)
    server.break_at(step, sql[:4].encode())
    with pytest.raises(StatementOutcomeUnknown, match=sql.split()[0]):
        run(connection, sql)
    run(connection, "SELECT 1")
    assert server.sent(sql.encode()) == (1 if step is Step.REPLY else 0)


@pytest.mark.parametrize("sql", ["INSERT INTO t (x) VALUES (5)", "UPDATE t SET x = 5 WHERE id = 1", "DROP TABLE u"])
def test_an_autocommitted_write_that_was_not_sent_is_run_once(rig, server, run, sql):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.SEND, sql.encode(), error=2006)
    run(connection, sql)
    assert server.sent(sql.encode()) == 1


def test_a_write_error_is_a_proof_and_a_read_error_is_none(rig, server, run):
    """The same break, the same bytes; only the driver's code differs."""
    for error, expected in ((2006, None), (2013, StatementOutcomeUnknown)):
        connection = rig.connect(autocommit=True)
        server.break_at(Step.HALF_SENT, b"DELETE", error=error)
        if expected is None:
            run(connection, "DELETE FROM t WHERE id = 1")
        else:
            with pytest.raises(expected):
                run(connection, "DELETE FROM t WHERE id = 1")


def test_setting_a_variable_is_done_again_and_remembered_once(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SET lock_wait")
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert rig.own() == [b"SET lock_wait_timeout = 5", b"SELECT 1"]


def test_autocommit_and_its_transaction_survive_an_idle_loss(rig, server, run, idle):
    connection = rig.connect()
    connection.autocommit(on=True)
    server.cut()
    idle(connection)
    run(connection, "INSERT INTO t (x) VALUES (7)")
    assert connection.get_autocommit() is True
    assert connection.session.autocommit is True
    assert server.tables["t"].rows[3] == (3, 7)


@pytest.mark.parametrize(
    "where", [b"SET lock_wait_timeout", b"information_schema.PROCESSLIST WHERE ID = CONNECTION_ID"]
)
def test_losses_while_restoring_the_session_are_repaired_too(rig, server, run, idle, where):
    connection = rig.connect(autocommit=True)
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    server.break_at(Step.REPLY, where, times=2)
    server.log.clear()
    run(connection, "DELETE FROM t WHERE id = 1")
    assert server.sent(b"SET lock_wait_timeout") >= 1
    assert connection.session.variables["lock_wait_timeout"] == "5"
    assert server.sent(b"DELETE FROM t") == 1


def test_losses_while_restoring_are_not_repaired_for_ever(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    planned = server.break_at(Step.REPLY, b"SET lock_wait_timeout", times=1000)
    with pytest.raises(connection._stillhere.driver.dbapi.OperationalError):
        run(connection, "DELETE FROM t WHERE id = 1")
    assert planned.times >= 990
    assert server.sent(b"DELETE FROM t") == 0


def test_a_setting_that_the_new_server_refuses_is_said_and_the_statement_is_not_run(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    server.answer(b"SET lock_wait_timeout", ServerError(1193, "Unknown system variable"))
    with pytest.raises(connection._stillhere.driver.dbapi.OperationalError, match="Unknown system variable"):
        run(connection, "DELETE FROM t WHERE id = 1")
    assert server.sent(b"DELETE FROM t") == 0


def test_a_server_that_is_away_is_waited_for_and_then_named(make_rig, server, run, idle):
    rig = make_rig(ride_through=0.12)
    connection = rig.connect(autocommit=True)
    server.cut()
    idle(connection)
    server.down = 2003
    with pytest.raises(ServerUnavailable, match=r"could not be reached within 0.\d s.*2003") as caught:
        run(connection, "SELECT 1")
    assert isinstance(caught.value, connection._stillhere.driver.dbapi.OperationalError)
    assert [type(event) for event in rig.events].count(events.Wait) == 1
    server.down = 0
    rig.endpoint.policy = Policy(detect_within=0)
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_an_access_that_is_denied_is_not_waited_for(make_rig, server, run, idle):
    rig = make_rig(ride_through=60)
    connection = rig.connect(autocommit=True)
    server.cut()
    idle(connection)
    server.down = 1045
    with pytest.raises(connection._stillhere.driver.dbapi.OperationalError) as caught:
        run(connection, "SELECT 1")
    assert caught.value.args[0] == 1045


@pytest.mark.parametrize("sql", ["SELECT LAST_INSERT_ID()", "SHOW WARNINGS", "SELECT ROW_COUNT()"])
def test_a_statement_about_the_one_before_is_refused_after_a_swap(rig, server, run, idle, sql):
    connection = rig.connect(autocommit=True)
    run(connection, "INSERT INTO t (x) VALUES (5)")
    server.cut()
    idle(connection)
    with pytest.raises(connection._stillhere.driver.dbapi.OperationalError) as caught:
        run(connection, sql)
    assert "asks about the" in caught.value.__notes__[0]
    assert server.sent(sql.encode()) == 0


def test_a_statement_about_the_one_before_is_refused_on_a_detached_connection(rig, server, run):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"DELETE")
    with pytest.raises(StatementOutcomeUnknown):
        run(connection, "DELETE FROM t WHERE id = 1")
    assert connection._stillhere.state is LinkState.DETACHED
    with pytest.raises(connection._stillhere.driver.dbapi.OperationalError) as caught:
        run(connection, "SELECT ROW_COUNT()")
    assert "asks about the" in caught.value.__notes__[0]


def test_a_connection_near_its_wait_timeout_is_replaced_before_use(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    number = connection.thread_id()
    idle(connection, 0.89 * server.wait_timeout)
    run(connection, "SELECT 1")
    assert connection.thread_id() == number
    idle(connection, 0.91 * server.wait_timeout)
    run(connection, "SELECT 1")
    assert connection.thread_id() != number


def test_a_statement_over_the_packet_limit_is_not_sent_and_costs_nothing(rig, server, run):
    server.max_allowed_packet = 1024
    connection = rig.connect()
    run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    with pytest.raises(PacketTooLarge, match=r"statement of 1101 bytes exceeds .* of 1024 bytes"):
        run(connection, "SELECT '" + "x" * 1092 + "'")
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 5)
    run(connection, "SELECT '" + "x" * 1000 + "'")


@pytest.mark.parametrize("call", ["execute", "commit", "rollback", "ping", "autocommit", "next_result"])
def test_a_second_thread_is_refused_by_name(rig, server, run, call):
    caught: list[BaseException] = []

    def second(connection):
        try:
            {
                "execute": lambda: run(connection, "SELECT 2"),
                "commit": connection.commit,
                "rollback": connection.rollback,
                "ping": connection.ping,
                "autocommit": lambda: connection.autocommit(on=True),
                "next_result": connection.next_result,
            }[call]()
        except BaseException as error:  # noqa: BLE001 - told to the test
            caught.append(error)

    def while_in_flight(_session, _sql):
        connection.pending = (Reply(),)
        connection._stillhere.more_results = True
        thread = threading.Thread(target=second, args=(connection,))
        thread.start()
        thread.join()
        return Reply.of((1,))

    connection = rig.connect()
    server.answer(b"SELECT slow()", while_in_flight)
    run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    run(connection, "SELECT slow()")
    assert [type(error).__name__ for error in caught] == ["ConnectionMisused"]
    assert isinstance(caught[0], ConnectionMisused)
    assert isinstance(caught[0], connection._stillhere.driver.dbapi.ProgrammingError)
    assert str(threading.get_ident()) in str(caught[0])
    assert run(connection, "SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("read", ["fetchone", "fetchmany", "fetchall"])
def test_a_stream_that_is_cut_is_interrupted_and_said_so(rig, server, run, read):
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "SELECT x FROM t", cursor=SSCursor)
    assert cursor.fetchone() == (10,)
    server.break_at(Step.ROWS, b"fetch")
    with pytest.raises(StreamInterrupted):
        getattr(cursor, read)()
    with pytest.raises(StreamInterrupted):
        cursor.fetchone()
    cursor.execute("SELECT x FROM t WHERE id = 2")
    assert cursor.fetchall() == ((20,),)
    cursor.close()
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_further_result_sets_that_are_lost_are_no_end_of_them(rig, server, run):
    server.answer(b"CALL p()", Reply(((1,),), ("a",), 1, more=(Reply(((2,),), ("a",), 1),)))
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "CALL p()")
    server.break_at(Step.ROWS, b"next_result")
    with pytest.raises(StreamInterrupted):
        cursor.nextset()


def test_a_connection_closed_by_the_application_stays_closed(rig, run):
    connection = rig.connect()
    connection.close()
    with pytest.raises(connection._stillhere.driver.dbapi.InterfaceError, match="closed by the application"):
        run(connection, "SELECT 1")


def test_a_pending_one_shot_setting_is_set_again_behind_the_session(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    run(connection, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    run(connection, "SET lock_wait_timeout = 5")
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "BEGIN")
    assert rig.own() == [
        b"SET lock_wait_timeout = 5",
        b"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        b"BEGIN",
    ]


def test_a_ping_after_an_idle_loss_finds_a_new_connection(rig, server, idle):
    connection = rig.connect(autocommit=True)
    number = connection.thread_id()
    server.cut()
    idle(connection)
    connection.ping()
    assert connection.thread_id() != number


def test_a_character_set_chosen_through_the_driver_is_chosen_again_through_it(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    connection.set_character_set("latin1")
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert rig.own()[0] == b"SET NAMES latin1"
    assert connection.encoding == "latin-1"


@pytest.mark.parametrize("second", [b"PROCESSLIST WHERE ID = 8", b"START TRANSACTION READ ONLY"])
def test_a_read_that_may_have_written_stays_one_when_the_next_connection_is_lost_as_well(rig, server, run, second):
    """What is proved not to have been sent the second time may still have been executed the first."""
    server.table("audit", "id")

    def audit(session, _sql):
        session.write("audit", (len(server.tables["audit"].rows) + 1,))
        return Reply.of((1,))

    server.answer(b"SELECT audit()", audit)
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT audit()")
    planned = server.break_at(Step.SEND, second, error=2006)
    with pytest.raises(StatementOutcomeUnknown):
        run(connection, "SELECT audit()")
    assert planned.times == 0
    assert len(server.tables["audit"].rows) == 1


@pytest.mark.parametrize("cursor", [None, SSCursor])
@pytest.mark.parametrize("before", ["SELECT x FROM t", "ANALYZE UPDATE t SET x = 1"])
def test_throwing_away_results_that_are_no_more_is_no_sign_of_life(rig, server, run, idle, before, cursor):
    """The drivers ask for further result sets at the head of each execute; the look at the socket still comes."""
    server.answer(b"ANALYZE", Reply())
    connection = rig.connect(autocommit=True)
    made = run(connection, before, cursor=cursor)
    if made.description:
        made.fetchall()
        made.fetchall()
    server.cut()
    idle(connection)
    made.execute("UPDATE t SET x = 7 WHERE id = 1")
    assert server.tables["t"].rows[1] == (1, 7)


@pytest.mark.parametrize("idle_for", [30.0, 90.0])
def test_with_no_socket_to_look_at_a_long_idle_connection_is_pinged(make_rig, server, run, idle, monkeypatch, idle_for):
    """Its loss is found by the ping, so that the write that follows was not sent and is continued."""
    monkeypatch.setattr(type(FAKE), "descriptor", lambda *_: -1)
    connection = make_rig(ping_after=60).connect(autocommit=True)
    server.cut()
    idle(connection, idle_for)
    if idle_for > 60:
        run(connection, "UPDATE t SET x = 5 WHERE id = 1")
        assert server.tables["t"].rows[1] == (1, 5)
    else:
        with pytest.raises(StatementOutcomeUnknown):
            run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    assert server.sent(b"UPDATE t SET x = 5") <= 1
