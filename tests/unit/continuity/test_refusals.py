"""Losses that are not continued: which error, in which words, and in what state it leaves the connection."""

from __future__ import annotations

import gc
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from stillhere import errors, events
from stillhere.continuity import refusals
from stillhere.continuity.continuation import Action
from stillhere.continuity.facts import UNKNOWN_FACTS
from stillhere.continuity.states import LinkState
from stillhere.errors import (
    CommitOutcomeUnknown,
    PoisonStatement,
    StatementKilled,
    StatementOutcomeUnknown,
    StatementTimeout,
    StillhereError,
    StreamInterrupted,
    TransactionKilled,
    TransactionLost,
)
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import OperationalError, SSCursor
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError

UPDATE = "UPDATE t SET x = x + 1 WHERE id = 1"
SECRET = "correct horse battery staple"


def refused(call, reason: str):
    """The driver's own error, with the reason as a note."""
    with pytest.raises(OperationalError) as caught:
        call()
    assert not isinstance(caught.value, StillhereError)
    note, cause = caught.value.__notes__
    assert re.match(r"stillhere: (?!not continued)", cause), cause
    assert note.startswith("stillhere: not continued: ")
    assert re.search(reason, note), note
    return caught.value


@pytest.mark.parametrize(
    ("sql", "pin"),
    [
        ("SELECT GET_LOCK('a', 0)", "GET_LOCK"),
        ("CREATE TEMPORARY TABLE tmp (id int)", "temporary table"),
        ("LOCK TABLES t READ", "LOCK TABLES"),
        ("SET @a = NOW()", "user variable"),
        ("PREPARE s FROM 'SELECT 1'", "PREPARE"),
        ("SET timestamp = 5", "timestamp"),
    ],
)
@pytest.mark.parametrize("found", ["idle", "by the driver"])
def test_what_a_new_connection_cant_have_pins_the_old_one(rig, server, run, idle, sql, pin, found):
    server.answer(b"GET_LOCK", Reply.of((1,)))
    server.answer(b"PREPARE", Reply())
    connection = rig.connect(autocommit=True)
    run(connection, sql)
    if found == "idle":
        server.cut()
        idle(connection)
    else:
        server.break_at(Step.SEND, b"SELECT x", error=2006)
    error = refused(lambda: run(connection, "SELECT x FROM t"), f"the session holds {pin}")
    assert error.args[0] == 2006  # the driver's own, or the one that it would have raised
    with pytest.raises(TransactionLost, match=pin):
        run(connection, "SELECT x FROM t")
    connection.rollback()
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)
    assert [type(e) for e in rig.events if isinstance(e, events.Refusal)] == [events.Refusal]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CALL p()", "CALL"),
        ("SELECT x FROM t INTO OUTFILE 'f'", "OUTFILE"),
        ("SELECT NEXTVAL(s)", "sequence"),
    ],
)
def test_what_escapes_the_transaction_spoils_its_replay(rig, server, run, idle, sql, reason):
    for words in (b"CALL", b"OUTFILE", b"NEXTVAL"):
        server.answer(words, Reply())
    connection = rig.connect()
    run(connection, sql)
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), reason)
    with pytest.raises(TransactionLost):
        connection.commit()


@pytest.mark.parametrize("errno", [1205, 1317, 3024])
def test_an_error_that_may_have_left_something_behind_spoils_the_replay(rig, server, run, idle, errno):
    connection = rig.connect()
    run(connection, UPDATE)
    server.answer(b"DELETE", ServerError(errno))
    with pytest.raises(OperationalError):
        run(connection, "DELETE FROM t WHERE id = 2")
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), str(errno))


def test_past_its_limits_the_journal_is_given_up_and_the_transaction_goes_on(make_rig, server, run, idle):
    for policy, reason in (({"journal_statements": 2}, "journal_statements = 2"), ({"journal_bytes": 80}, "= 80")):
        rig = make_rig(**policy)
        connection = rig.connect()
        for _ in range(3):
            run(connection, UPDATE)
        connection.commit()
        for _ in range(3):
            run(connection, UPDATE)
        server.cut()
        idle(connection)
        refused(lambda connection=connection: run(connection, UPDATE), reason)


def test_a_transaction_with_streamed_rows_is_not_replayed(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    run(connection, "SELECT x FROM t", cursor=SSCursor).fetchall()
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "streamed")


def test_a_transaction_is_not_replayed_on_another_server(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    server.become_another()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "another server answers")
    with pytest.raises(TransactionLost, match="another server"):
        connection.commit()
    assert server.tables["t"].rows[1] == (1, 10)


def test_a_transaction_is_replayed_on_another_server_that_has_all_commits(make_rig, server, run, idle):
    connection = make_rig(synchronous_replication=True).connect()
    run(connection, UPDATE)
    server.become_another()
    idle(connection)
    run(connection, "SELECT 1")
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)


def test_row_locks_that_guarded_something_elsewhere_are_not_taken_again_later(rig, server, run, idle):
    connection = rig.connect()
    run(connection, "SELECT x FROM t WHERE id = 1 FOR UPDATE")
    server.cut()
    idle(connection, 0.5)
    run(connection, "SELECT 1")
    server.cut()
    idle(connection, 1.5)
    refused(lambda: run(connection, "SELECT 1"), "replay_locks_within")


@pytest.mark.parametrize("privileged", [True, False])
def test_nowait_waits_until_the_ghosts_locks_are_known_to_be_gone(rig, server, run, privileged):
    server.privileged = privileged
    connection = rig.connect()
    run(connection, UPDATE)
    sql = "SELECT x FROM t WHERE id = 1 FOR UPDATE SKIP LOCKED"
    server.break_at(Step.REPLY, sql.encode(), ghost=True)
    if privileged:
        assert run(connection, sql).fetchone() == (11,)
    else:
        refused(lambda: run(connection, sql), "SKIP LOCKED")


def test_a_table_that_rollback_does_not_undo_is_not_written_twice(rig, server, run, idle):
    server.table("log", "id", "x", engine="MyISAM")
    connection = rig.connect()
    run(connection, "INSERT INTO log (x) VALUES (1)")
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "table log is in the MyISAM engine")
    assert len(server.tables["log"].rows) == 1


def test_a_trigger_that_could_take_the_forced_ids_refuses_the_replay(rig, server, run, idle):
    server.triggers.append(("t", "before_t"))
    connection = rig.connect()
    run(connection, "INSERT INTO t (x) VALUES (5)")
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "BEFORE INSERT trigger before_t")


def test_replay_can_be_switched_off(make_rig, server, run, idle):
    connection = make_rig(replay=False).connect()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "switched off")


def test_the_users_hook_can_refuse(make_rig, server, run, idle):
    seen = []
    connection = make_rig(stricter=lambda loss: seen.append(loss) or "not on a Friday").connect()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "not on a Friday")
    assert [type(loss) for loss in seen] == [events.Loss]


# -- on purpose, poison, timeouts, interruptions -----------------------------------------------------------------


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_long_statement_that_was_ended_while_the_server_stayed_up_is_not_undone(make_rig, server, run, autocommit):
    connection = make_rig(obey_kill_after=0).connect(autocommit=autocommit)
    server.break_at(Step.REPLY, b"SELECT x", then=lambda: setattr(server, "kills", 1))
    with pytest.raises(StatementKilled, match="KILL was used 1 times"):
        run(connection, "SELECT x FROM t")
    assert server.sent(b"SELECT x") == 1
    if not autocommit:
        connection.rollback()
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_a_short_statement_is_sent_again(make_rig, server, run):
    connection = make_rig(obey_kill_after=5).connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT x")
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)


def test_a_long_statement_is_sent_again_after_a_restart(make_rig, server, run):
    connection = make_rig(obey_kill_after=0).connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT x", then=server.restart)
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)


def test_a_long_statement_whose_thread_still_runs_was_not_killed(make_rig, server, run):
    connection = make_rig(obey_kill_after=0).connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT x", ghost=True)
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)


def test_a_long_transaction_that_was_ended_while_the_server_stayed_up_is_not_replayed(make_rig, server, run, idle):
    connection = make_rig(obey_kill_after=0).connect()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    with pytest.raises(TransactionKilled, match="open for longer than obey_kill_after"):
        run(connection, "SELECT 1")
    with pytest.raises(TransactionLost):
        connection.commit()
    assert server.tables["t"].rows[1] == (1, 10)


def test_the_fences_own_kills_are_nobody_elses(make_rig, server, run):
    rig = make_rig(obey_kill_after=0)
    connection = rig.connect(autocommit=True)
    ghost = rig.connect()
    run(ghost, UPDATE)
    server.break_at(Step.SEND, b"ROLLBACK", ghost=True)
    ghost.rollback()
    run(ghost, "SELECT 1")
    assert (server.kills, rig.endpoint.own_kills) == (1, 1)
    server.break_at(Step.REPLY, b"SELECT x")
    with pytest.raises(StatementKilled) as caught:
        run(connection, "SELECT x FROM t")
    assert "KILL was used" not in str(caught.value)


def test_a_statement_in_flight_at_two_crashes_is_not_sent_to_a_third(rig, server, run):
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT boom()", then=server.restart, times=5)
    with pytest.raises(PoisonStatement, match="in flight at two crashes"):
        run(connection, "SELECT boom()") if server.answer(b"boom", Reply.of((1,))) is None else None
    assert server.sent(b"boom") == 2
    another = rig.connect(autocommit=True)
    with pytest.raises(PoisonStatement):
        run(another, "SELECT boom()")
    assert server.sent(b"boom") == 1


@pytest.mark.parametrize("sql", ["SELECT x FROM t", UPDATE, "COMMIT"])
@pytest.mark.parametrize("autocommit", [True, False])
def test_the_clients_own_timeout_is_no_loss_and_nothing_is_sent_again(rig, server, run, sql, autocommit):
    connection = rig.connect(autocommit=autocommit, read_timeout=3)
    if not autocommit:
        run(connection, "INSERT INTO t (x) VALUES (5)")
    server.break_at(Step.REPLY, sql.encode(), client_timeout=True, ghost=True)
    with pytest.raises(StatementTimeout, match="read timeout"):
        run(connection, sql)
    assert server.sent(sql.encode()) == 1
    if not autocommit:
        with pytest.raises(TransactionLost):
            run(connection, "SELECT 1")
    connection.rollback()
    run(connection, "SELECT 1")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, RuntimeError])
@pytest.mark.parametrize("autocommit", [True, False])
def test_an_interrupted_reply_is_never_read_by_the_next_statement(rig, server, run, interruption, autocommit):
    connection = rig.connect(autocommit=autocommit)
    number = connection.thread_id()
    server.break_at(Step.REPLY, UPDATE.encode(), error=interruption("stop"))
    with pytest.raises(interruption):
        run(connection, UPDATE)
    if not autocommit:
        with pytest.raises(TransactionLost, match=f"{interruption.__name__} interrupted"):
            run(connection, "SELECT 1")
        connection.rollback()
    assert run(connection, "SELECT 1").fetchone() == (1,)
    assert connection.thread_id() != number
    assert number not in server.sessions


@pytest.mark.parametrize("call", ["commit", "rollback", "ping"])
def test_an_interruption_in_a_call_of_the_connection_discards_it_too(rig, server, run, call):
    connection = rig.connect()
    run(connection, UPDATE)
    server.break_at(Step.REPLY, b"SELECT 1" if call == "ping" else call.upper().encode(), error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        getattr(connection, call)()
    assert connection._stillhere.state is LinkState.LOST
    with pytest.raises(TransactionLost):
        run(connection, "SELECT 1")


def test_an_interruption_while_a_stream_is_read_discards_the_connection(rig, server, run):
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "SELECT x FROM t", cursor=SSCursor)
    server.break_at(Step.ROWS, b"fetch", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        cursor.fetchone()
    assert connection._stillhere.state is LinkState.DETACHED
    cursor.close()
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_an_interruption_of_the_recovery_itself_leaves_the_transaction_lost(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    server.break_at(Step.REPLY, UPDATE.encode(), error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(connection, "SELECT 1")
    with pytest.raises(TransactionLost, match="KeyboardInterrupt"):
        connection.commit()
    connection.rollback()
    assert run(connection, "SELECT 1").fetchone() == (1,)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 10)


# -- limits --------------------------------------------------------------------------------------------------------


def test_a_statement_is_continued_twice_and_no_more(rig, server, run):
    connection = rig.connect()
    run(connection, UPDATE)
    planned = server.break_at(Step.REPLY, b"SELECT x", times=2)
    assert run(connection, "SELECT x FROM t WHERE id = 2").fetchone() == (20,)
    connection.rollback()
    run(connection, UPDATE)
    planned.times = 10
    refused(lambda: run(connection, "SELECT x FROM t WHERE id = 2"), "the statement was continued 2 times")
    assert planned.times == 7


def test_a_transaction_is_continued_three_times_and_no_more(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    for _ in range(3):
        server.cut()
        idle(connection, 0.1)
        run(connection, "SELECT 1")
    server.cut()
    idle(connection, 0.1)
    refused(lambda: run(connection, "SELECT 1"), "the transaction was continued 3 times")
    connection.rollback()
    run(connection, UPDATE)
    server.cut()
    idle(connection, 0.1)
    run(connection, "SELECT 1")
    connection.commit()


# -- what all errors have in common ----------------------------------------------------------------------------------


def every_error():
    return [
        kind
        for name in errors.__all__
        if issubclass(kind := getattr(errors, name), errors.CallError) and kind is not errors.CallError
    ]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_is_of_the_drivers_class_and_empties_no_pool(kind):
    made = errors.for_driver(kind, fake_driver)
    error = made("it is so")
    assert isinstance(error, kind)
    assert isinstance(error, getattr(fake_driver, kind.pep249))
    assert isinstance(error, fake_driver.Error)
    assert error.args == (0, "it is so")
    assert str(error) == "it is so"
    assert errors.for_driver(kind, fake_driver) is made


@pytest.mark.parametrize(
    ("step", "prepare", "sql", "expected"),
    [
        (Step.REPLY, "autocommit", "UPDATE t SET x = %s", StatementOutcomeUnknown),
        (Step.REPLY, "transaction", "COMMIT", CommitOutcomeUnknown),
        (Step.REPLY, "timeout", "SELECT %s", StatementTimeout),
    ],
)
def test_messages_notes_events_and_logs_hold_no_values(rig, server, run, caplog, step, prepare, sql, expected):
    server.answer(b"UPDATE", Reply())
    connection = rig.connect(autocommit=prepare != "transaction")
    if prepare == "transaction":
        run(connection, "UPDATE t SET x = %s", (SECRET,))
    server.break_at(step, sql[:6].encode(), client_timeout=prepare == "timeout")
    with pytest.raises(expected) as caught:
        run(connection, sql, (SECRET,) if "%s" in sql else None)
    said = [str(caught.value), repr(caught.value), *getattr(caught.value, "__notes__", ()), caplog.text]
    said += [repr(event) for event in rig.events]
    assert not any("horse" in text for text in said)


def test_a_refused_transaction_is_told_without_its_values(rig, server, run, idle, caplog):
    connection = rig.connect()
    server.answer(b"UPDATE", Reply())
    run(connection, "UPDATE t SET x = %s", (SECRET,))
    run(connection, "CALL p(%s)", (SECRET,)) if server.answer(b"CALL", Reply()) is None else None
    server.cut()
    idle(connection)
    error = refused(lambda: run(connection, "SELECT 1"), "CALL")
    with pytest.raises(TransactionLost) as caught:
        connection.commit()
    said = [*map(str, (error, caught.value)), *error.__notes__, caplog.text, repr(rig.events)]
    assert not any("horse" in text for text in said)


def test_every_ending_has_its_words_and_class():
    assert {
        action for action in Action if action.value in errors.__all__ or action is Action.REFUSE
    } == refusals.ENDINGS


def test_a_connection_that_nobody_holds_is_collected(rig, run):
    connection = rig.connect()
    run(connection, UPDATE)
    rig.connections.clear()
    del connection
    gc.collect()
    assert rig.server.tables["t"].rows[1] == (1, 10)


def test_a_stream_given_up_by_the_application_pins_nothing(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "SELECT x FROM t", cursor=SSCursor)
    server.cut()
    idle(connection)
    refused(lambda: run(connection, "SELECT 1"), "still being read")
    with pytest.raises(StreamInterrupted):
        cursor.fetchone()
    connection.rollback()
    cursor = run(connection, "SELECT x FROM t", cursor=SSCursor)
    cursor.close()
    server.cut()
    idle(connection)
    run(connection, "SELECT 1")


@pytest.mark.parametrize(("ours_since", "words"), [(0, " (KILL was used 1 times on it meanwhile)"), (1, "")])
def test_kills_of_ours_from_before_the_connection_was_opened_hide_no_later_one(ours_since, words):
    before = replace(UNKNOWN_FACTS, identity="a", kills=7, own_kills=5)
    now = replace(before, kills=8, own_kills=5 + ours_since)
    assert refusals._kills(SimpleNamespace(facts=now, previous_facts=before)) == words
