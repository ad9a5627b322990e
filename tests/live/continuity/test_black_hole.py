"""Replies that never come, though nothing says that the connection is gone."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere import Policy

POLICY = Policy(detect_within=1)
# A look every quarter of a second, two of them half a second apart, and a busy machine.
SOON = 8


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_reply_that_was_swallowed_is_found_missing_and_the_read_continued(room, rows, run, autocommit):
    connection = room.connect(POLICY, autocommit=autocommit)
    run(connection, "SELECT 1")
    room.wire.black_hole()
    started = time.monotonic()
    assert len(run(connection, "SELECT v FROM t")) == 3
    assert 0.9 < time.monotonic() - started < SOON
    assert room.actions == ["RESEND_READ_ONLY" if autocommit else "REPLAY"]


def test_a_write_whose_reply_was_swallowed_is_unknown(room, table, run):
    connection = room.connect(POLICY, autocommit=True)
    run(connection, "SELECT 1")
    room.wire.black_hole(to_server=False)
    with pytest.raises(stillhere.StatementOutcomeUnknown):
        run(connection, "INSERT INTO t (v) VALUES (1)")
    assert room.count() == 1


def test_a_transaction_in_a_black_hole_is_replayed_over_the_locks_of_its_ghost(room, rows, run):
    connection = room.connect(POLICY)
    run(connection, "UPDATE t SET v = 11 WHERE id = 1")
    room.wire.black_hole()
    run(connection, "UPDATE t SET v = 22 WHERE id = 2")
    connection.commit()
    assert room.ask("SELECT v FROM t ORDER BY id") == [(11,), (22,), (30,)]


def test_a_statement_that_really_runs_longer_is_not_given_up(room, run):
    connection = room.connect(POLICY, autocommit=True)
    before = run(connection, "SELECT CONNECTION_ID()")
    assert run(connection, "SELECT SLEEP(3)") == ((0,),)
    assert run(connection, "SELECT CONNECTION_ID()") == before
    assert room.events == []


def test_a_statement_that_waits_for_a_lock_is_not_given_up(room, rows, run):
    holder, connection = room.connect(), room.connect(POLICY)
    run(holder, "UPDATE t SET v = 0 WHERE id = 1")

    def let_go():
        time.sleep(2.5)
        holder.rollback()

    releasing = room.meanwhile(let_go)
    run(connection, "UPDATE t SET v = v + 1 WHERE id = 1")
    releasing.join()
    connection.commit()
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]
    assert room.events == []
