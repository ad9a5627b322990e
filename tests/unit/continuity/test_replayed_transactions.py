"""Losses inside a transaction: run again and compared, or refused; COMMIT and ROLLBACK."""

from __future__ import annotations

import pytest

from stillhere import events
from stillhere.continuity.states import LinkState
from stillhere.errors import CommitOutcomeUnknown, ReplayDiverged, TransactionLost
from stillhere.testing.fake_driver import FAKE, DictCursor, IntegrityError, OperationalError
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError

INSERT = "INSERT INTO t (x) VALUES (5)"
UPDATE = "UPDATE t SET x = x + 1 WHERE id = 1"


def transfer(connection, run):
    """A transaction that has read and written."""
    run(connection, "SELECT x FROM t WHERE id = 2")
    run(connection, INSERT)
    run(connection, UPDATE)


def lost_for_good(connection, run):
    """Everything but ROLLBACK and close raises TransactionLost; ROLLBACK ends that."""
    for call in (
        lambda: run(connection, "SELECT 1"),
        connection.commit,
        lambda: run(connection, "COMMIT"),
        connection.begin,
        connection.ping,
        lambda: connection.autocommit(on=True),
        lambda: connection.select_db("app"),
        lambda: connection.set_character_set("utf8mb4"),
        lambda: connection.query("SELECT 1"),
    ):
        with pytest.raises(TransactionLost, match="Only ROLLBACK is accepted"):
            call()
    connection.rollback()
    assert run(connection, "SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("ghost", [False, True])
@pytest.mark.parametrize("step", list(Step)[1:])
@pytest.mark.parametrize("lost_in", ["SELECT x FROM t WHERE id = 2", INSERT, UPDATE, "SELECT x FROM t"])
def test_wherever_it_is_cut_a_transaction_is_committed_exactly_once(rig, server, run, step, ghost, lost_in):
    connection = rig.connect()
    server.break_at(step, lost_in.encode(), ghost=ghost)
    transfer(connection, run)
    assert run(connection, "SELECT x FROM t").fetchall() == ((11,), (20,), (5,))
    connection.commit()
    # The id of an INSERT whose reply never came was shown to nobody, and another may be given.
    assert [x for _, x in server.tables["t"].rows.values()] == [11, 20, 5]
    assert server.tables.locks == {}


@pytest.mark.parametrize("ghost", [False, True])
@pytest.mark.parametrize("number", range(16))
def test_wherever_the_replay_itself_is_cut_a_transaction_is_committed_exactly_once(rig, server, run, number, ghost):
    """The n-th statement on the connections opened after the loss is cut, whatever it is: fence, look-up, replay."""
    connection = rig.connect()
    transfer(connection, run)
    server.break_at(Step.REPLY, b"SELECT 'x'", ghost=True)
    second = server.break_at(Step.REPLY, b"", skip=number, ghost=ghost)
    run(connection, "SELECT 'x'")
    connection.commit()
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 20), 3: (3, 5)}
    assert second.times == 0
    if number > 1:  # one that was cut before it could tell its number has done nothing yet, and is left to the server
        assert server.sessions.keys() == {connection.thread_id()}


def test_an_idle_loss_in_a_transaction_is_found_before_the_next_statement(rig, server, run, idle):
    connection = rig.connect()
    transfer(connection, run)
    server.cut()
    idle(connection, 0.1)
    run(connection, "UPDATE t SET x = 0 WHERE id = 2")
    connection.commit()
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 0), 3: (3, 5)}
    assert server.sent(b"UPDATE t SET x = 0") == 1
    [replayed] = [event for event in rig.events if isinstance(event, events.Replay)]
    assert (replayed.statements, replayed.same) == (3, True)


def test_generated_ids_come_out_the_same(rig, server, run, idle):
    connection = rig.connect()
    first = run(connection, INSERT).lastrowid
    other = rig.connect(autocommit=True)
    run(other, INSERT)
    server.cut(connection.thread_id())
    idle(connection)
    run(connection, UPDATE)
    connection.commit()
    assert first == 3
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 20), 3: (3, 5), 4: (4, 5)}


def test_ids_that_were_returned_as_rows_come_out_the_same(rig, server, run, idle):
    connection = rig.connect()
    assert run(connection, f"{INSERT} RETURNING id, x").fetchall() == ((3, 5),)
    run(rig.connect(autocommit=True), INSERT)
    server.cut(connection.thread_id())
    idle(connection)
    run(connection, UPDATE)
    connection.commit()
    assert set(server.tables["t"].rows) == {1, 2, 3, 4}


def test_the_values_sent_are_kept_and_not_the_callers_dictionary(rig, server, run, idle):
    connection = rig.connect()
    values = {"x": 1}
    run(connection, "INSERT INTO t (x) VALUES (%(x)s)", values)
    values["x"] = 2
    run(connection, "INSERT INTO t (x) VALUES (%(x)s)", values)
    server.cut()
    idle(connection)
    run(connection, UPDATE)
    connection.commit()
    assert server.tables["t"].rows[3] == (3, 1)
    assert server.tables["t"].rows[4] == (4, 2)


def test_a_batch_of_executemany_is_one_journaled_statement(rig, server, idle, run):
    connection = rig.connect()
    assert connection.cursor().executemany("INSERT INTO t (x) VALUES (%s)", [(1,), (2,), (3,)]) == 3
    server.cut()
    idle(connection)
    run(connection, UPDATE)
    connection.commit()
    assert [row[1] for row in server.tables["t"].rows.values()] == [11, 20, 1, 2, 3]


def test_savepoints_are_replayed_like_any_statement(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    run(connection, "SAVEPOINT a")
    run(connection, "UPDATE t SET x = 99 WHERE id = 1")
    run(connection, "ROLLBACK TO SAVEPOINT a")
    server.cut()
    idle(connection)
    run(connection, "RELEASE SAVEPOINT a")
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)


def test_an_explicit_begin_is_a_transaction_under_autocommit(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    connection.begin()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    run(connection, "SELECT x FROM t WHERE id = 2")
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)
    assert server.sent(b"BEGIN") == 2


def test_a_failed_statement_fails_the_same_way_in_the_replay(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    with pytest.raises(IntegrityError):
        run(connection, "INSERT INTO t (id, x) VALUES (1, 0)")
    server.cut()
    idle(connection)
    run(connection, "SELECT 1")
    connection.commit()
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 20)}


def mutate_rows(server):
    server.tables["t"].rows[2] = (2, 21)


def mutate_count(server):
    server.tables["t"].rows[4] = (4, 4)


def mutate_error(server):
    del server.tables["t"].rows[1]


@pytest.mark.parametrize(
    ("sql", "change", "kind"),
    [
        ("SELECT x FROM t WHERE id = 2", mutate_rows, "rows"),
        ("UPDATE t SET x = 3", mutate_count, "row count"),
        ("DELETE FROM t WHERE id = 1", mutate_error, "row count"),
        ("INSERT INTO t (id, x) VALUES (1, 0)", mutate_error, "error number none where it was 1062"),
    ],
)
def test_a_replay_that_answers_differently_is_refused_and_nothing_is_committed(
    rig, server, run, idle, sql, change, kind
):
    connection = rig.connect()
    run(connection, "INSERT INTO t (id, x) VALUES (9, 9)")
    if "1062" in kind:
        with pytest.raises(IntegrityError):
            run(connection, sql)
    else:
        run(connection, sql)
    server.cut()
    change(server)
    before = dict(server.tables["t"].rows)
    idle(connection)
    with pytest.raises(ReplayDiverged, match=rf"statement 2 of 2 \(\w+\) .*: {kind}\. Nothing was committed"):
        run(connection, "UPDATE t SET x = 77 WHERE id = 1")
    lost_for_good(connection, run)
    assert server.tables["t"].rows == before
    assert server.sent(b"x = 77") == 0
    [replayed] = [event for event in rig.events if isinstance(event, events.Replay)]
    assert replayed.same is False


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (Reply(None, (), 1, 8, 0, None), "lastrowid"),
        (Reply(None, (), 1, 7, 1, None), "warning count"),
        (Reply(None, (), 1, 7, 0, "other"), "info"),
        (Reply(((1,),), ("a",), 1, 7), "rows"),
        (ServerError(1062, "Duplicate entry"), "error number 1062 where it was none"),
    ],
)
def test_everything_that_was_shown_is_compared(rig, server, run, idle, second, kind):
    answers = iter([Reply(None, (), 1, 7, 0, None), second])
    server.answer(b"REPLACE", lambda *_: next(answers))
    connection = rig.connect()
    run(connection, "REPLACE INTO t (x) VALUES (5)")
    server.cut()
    idle(connection)
    with pytest.raises(ReplayDiverged, match=kind):
        run(connection, "SELECT 1")


def test_the_names_of_columns_are_compared(rig, server, run, idle):
    answers = iter([Reply.of((1,), columns=["a"]), Reply.of((1,), columns=["b"])])
    server.answer(b"SELECT *", lambda *_: next(answers))
    connection = rig.connect()
    run(connection, "SELECT * FROM v")
    server.cut()
    idle(connection)
    with pytest.raises(ReplayDiverged, match="columns"):
        run(connection, "SELECT 1")


def test_rows_that_the_application_changed_in_place_are_compared_as_they_were(rig, server, run, idle):
    connection = rig.connect()
    for row in run(connection, "SELECT x FROM t", cursor=DictCursor).fetchall():
        row["x"] = 0
    server.cut()
    idle(connection)
    run(connection, UPDATE)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)


def test_a_lock_conflict_in_the_replay_is_tried_again_and_then_the_drivers_own(rig, server, run, idle):
    connection = rig.connect()
    run(connection, UPDATE)
    server.cut()
    idle(connection)
    conflicts = iter([ServerError(1213, "Deadlock found"), None])
    server.answer(b"UPDATE t SET x = x + 1", lambda *_: next(conflicts))
    run(connection, "SELECT 1")
    server.answer(b"UPDATE t SET x = x + 1", ServerError(1213, "Deadlock found"))
    server.cut()
    idle(connection)
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT 1")
    assert caught.value.args[0] == 1213
    assert any("run again after a loss" in note for note in caught.value.__notes__)
    lost_for_good(connection, run)


# -- COMMIT -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["method", "statement"])
@pytest.mark.parametrize("how", ["idle", "not sent"])
def test_a_commit_that_was_not_sent_is_replayed_and_done_once(rig, server, run, how, call):
    connection = rig.connect()
    transfer(connection, run)
    if how == "idle":
        server.cut()
    else:
        server.break_at(Step.SEND, b"COMMIT", error=2006)
    if call == "method":
        connection.commit()
    else:
        run(connection, "COMMIT")
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 20), 3: (3, 5)}
    assert server.sent(b"COMMIT") == 1
    run(connection, UPDATE)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 12)


@pytest.mark.parametrize("call", ["method", "statement"])
@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_whose_reply_was_lost_is_unknown_and_then_everything_else_is_refused(
    rig, server, run, committed, call
):
    connection = rig.connect()
    transfer(connection, run)
    server.break_at(Step.REPLY if committed else Step.HALF_SENT, b"COMMIT", error=2013)
    with pytest.raises(CommitOutcomeUnknown, match="may or may not have been committed"):
        connection.commit() if call == "method" else run(connection, "COMMIT")
    assert (3 in server.tables["t"].rows) is committed
    assert server.sent(b"COMMIT") == int(committed)
    rows = dict(server.tables["t"].rows)
    lost_for_good(connection, run)
    assert server.tables["t"].rows == rows


def test_a_commit_of_reads_alone_is_confirmed_by_the_server(rig, server, run):
    connection = rig.connect()
    run(connection, "SELECT x FROM t")
    server.break_at(Step.REPLY, b"COMMIT")
    connection.commit()
    assert rig.own()[-3:] == [b"START TRANSACTION READ ONLY", b"SELECT x FROM t", b"COMMIT"]


def test_a_commit_of_a_read_that_writes_is_unknown(rig, server, run):
    server.table("audit", "id")

    def audit(session, _sql):
        session.write("audit", (1,))
        return Reply.of((1,))

    server.answer(b"SELECT audit()", audit)
    connection = rig.connect()
    run(connection, "SELECT audit()")
    server.break_at(Step.REPLY, b"COMMIT")
    with pytest.raises(CommitOutcomeUnknown, match="one of its reads writes"):
        connection.commit()
    assert len(server.tables["audit"].rows) == 1


def test_a_commit_of_nothing_succeeds(rig, server, run):
    connection = rig.connect()
    server.break_at(Step.REPLY, b"COMMIT")
    connection.commit()
    run(connection, "SELECT 1")


@pytest.mark.parametrize("sql", ["CREATE TABLE u (id int)", "BEGIN", "SET autocommit=1", "LOCK TABLES t READ"])
def test_a_lost_statement_that_commits_is_an_ambiguous_commit(rig, server, run, sql):
    connection = rig.connect()
    transfer(connection, run)
    server.break_at(Step.REPLY, sql.encode())
    with pytest.raises(CommitOutcomeUnknown):
        run(connection, sql)
    lost_for_good(connection, run)


def test_switching_autocommit_on_by_the_method_is_an_ambiguous_commit_too(rig, server, run):
    connection = rig.connect()
    transfer(connection, run)
    server.break_at(Step.REPLY, b"SET autocommit")
    with pytest.raises(CommitOutcomeUnknown):
        connection.autocommit(on=True)
    lost_for_good(connection, run)


# -- ROLLBACK ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["method", "statement"])
@pytest.mark.parametrize("step", [Step.SEND, Step.HALF_SENT, Step.REPLY])
def test_a_lost_rollback_succeeds_and_its_ghost_is_gone_before_the_next_statement(rig, server, run, step, call):
    connection = rig.connect()
    transfer(connection, run)
    server.break_at(step, b"ROLLBACK", ghost=True)
    connection.rollback() if call == "method" else run(connection, "ROLLBACK")
    server.log.clear()
    run(connection, "UPDATE t SET x = 0 WHERE id = 1")
    assert b"KILL CONNECTION 8" in server.statements()
    assert rig.endpoint.own_kills == 1
    connection.commit()
    assert server.tables["t"].rows == {1: (1, 0), 2: (2, 20)}


def test_a_rollback_of_nothing_sends_nothing(rig, server, run):
    connection = rig.connect()
    connection.rollback()
    assert server.log == []
    run(connection, "SELECT 1")
    connection.rollback()
    connection.rollback()
    assert server.sent(b"ROLLBACK") == 1


def test_what_the_server_rolled_back_is_not_replayed(rig, server, run, idle):
    connection = rig.connect()
    run(connection, INSERT)
    server.answer(b"UPDATE", lambda session, _sql: session.finish(commit=False) or ServerError(1213, "Deadlock"))
    with pytest.raises(OperationalError):
        run(connection, UPDATE)
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert server.sent(b"INSERT") == 0


# -- session statements in a transaction ------------------------------------------------------------------


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_setting_in_a_transaction_is_replayed_in_place_and_outlives_it(rig, server, run, idle, end):
    connection = rig.connect()
    run(connection, UPDATE)
    run(connection, "SET lock_wait_timeout = 5")
    run(connection, INSERT)
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    sent = [sql for sql in rig.own() if sql.startswith((b"UPDATE", b"SET lock", b"INSERT"))]
    assert sent == [UPDATE.encode(), b"SET lock_wait_timeout = 5", INSERT.encode()]
    getattr(connection, end)()
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert [sql for sql in rig.own() if sql != b"ROLLBACK"] == [b"SET lock_wait_timeout = 5", b"SELECT 1"]


def test_a_statement_about_the_one_before_follows_its_replay(rig, server, run, idle):
    connection = rig.connect()
    run(connection, INSERT)
    server.cut()
    idle(connection)
    assert run(connection, "SELECT LAST_INSERT_ID()").fetchone() == (3,)
    assert server.statements()[-2] == INSERT.encode()


def test_a_connection_that_is_closed_in_a_transaction_says_nothing_on_a_dead_socket(rig, server, run):
    connection = rig.connect()
    run(connection, UPDATE)
    server.cut()
    connection.close()
    assert connection._stillhere.state is LinkState.CLOSED
    assert FAKE.descriptor(connection) == -1
    assert server.tables["t"].rows[1] == (1, 10)


def test_a_one_shot_setting_applies_to_the_replay_and_not_to_what_is_looked_up_before_it(rig, server, run, idle):
    connection = rig.connect()
    one_shot = b"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"
    run(connection, one_shot.decode())
    run(connection, INSERT)
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, UPDATE)
    sent = server.statements()
    replayed = sent.index(INSERT.encode())
    assert sent[replayed - 3 : replayed] == [b"ROLLBACK", one_shot, b"SET insert_id=3"]
    connection.commit()
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, UPDATE)
    assert server.sent(one_shot) == 0


@pytest.mark.parametrize(
    ("sql", "forced"),
    [
        ("INSERT INTO t (x) VALUES (5)", True),
        ("INSERT INTO t (x) VALUES (5), (6)", True),
        ("INSERT INTO t (id, x) VALUES (9, 5)", False),
        ("INSERT IGNORE INTO t (x) VALUES (5)", False),
        ("INSERT INTO t (x) VALUES (5) ON DUPLICATE KEY UPDATE x = 6", False),
        ("REPLACE INTO t (x) VALUES (5)", False),
    ],
)
def test_only_a_plain_insert_has_its_id_forced(rig, server, run, idle, sql, forced):
    for words in (b"INSERT IGNORE", b"ON DUPLICATE", b"REPLACE"):
        server.answer(words, Reply(None, (), 1, 7, 0, None))
    connection = rig.connect()
    run(connection, sql)
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert bool(server.sent(b"SET insert_id")) is forced


def test_a_table_without_generated_ids_has_none_forced(rig, server, run, idle):
    server.table("plain", "id", "x", auto=False)
    connection = rig.connect()
    run(connection, "INSERT INTO plain (id, x) VALUES (1, 5)")
    run(connection, "INSERT INTO t (x) VALUES (5)")
    server.cut()
    idle(connection)
    server.log.clear()
    run(connection, "SELECT 1")
    assert server.sent(b"SET insert_id") == 1
