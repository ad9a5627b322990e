"""What lost connections leave behind is gone before anyone waits for it, whoever comes next."""

from __future__ import annotations

import dataclasses
import time

import pytest

from stillhere.continuity import fence as fencing
from stillhere.continuity.facts import UNKNOWN_FACTS, restarted_between
from stillhere.errors import CommitOutcomeUnknown
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import FAKE
from stillhere.testing.fake_server import FakeServer, Step
from stillhere.testing.fake_tables import Reply

UPDATE = "UPDATE t SET x = x + 1 WHERE id = 1"


@pytest.fixture
def haunted(rig, server, run):
    """A rig whose server still has a transaction that nobody will continue."""
    connection = rig.connect()
    run(connection, UPDATE)
    server.break_at(Step.SEND, b"COMMIT", ghost=True)
    with pytest.raises(CommitOutcomeUnknown):
        connection.commit()
    assert rig.endpoint.haunted
    return rig


def test_a_new_connection_is_handed_out_only_when_the_ghost_is_gone(haunted, server, run):
    connection = haunted.connect()
    assert (server.kills, haunted.endpoint.haunted) == (1, False)
    run(connection, UPDATE)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)


def test_a_new_connection_that_is_lost_over_the_ghost_is_replaced(haunted, server, run):
    server.break_at(Step.REPLY, b"SELECT USER, HOST")
    connection = haunted.connect()
    assert connection.open
    assert (server.kills, haunted.endpoint.haunted) == (1, False)


def test_a_connect_chain_that_fails_after_the_handshake_is_run_again_in_place(rig, server, run):
    def chain():
        made = fake_driver.connect(server=server)
        made.query("SET NAMES utf8mb4")
        return made

    connection = rig.endpoint.connect(chain)
    rig.connections.append(connection)
    connection._stillhere.ledger.end_prologue()
    server.break_at(Step.REPLY, b"UPDATE")
    server.break_at(Step.REPLY, b"SET NAMES")
    run(connection, UPDATE)
    connection.commit()
    assert server.tables["t"].rows[1] == (1, 11)


LEARNED = dataclasses.replace(UNKNOWN_FACTS, identity="one", thread_id=10, uptime=100, opening_at=50.0, learned_at=50.1)


@pytest.mark.parametrize(
    ("thread_id", "uptime", "opening_at", "restarted"),
    [
        pytest.param(4, 0, 53.0, True, id="lower number, asked for later"),
        pytest.param(12, 1, 60.0, True, id="higher number, younger server"),
        pytest.param(12, 110, 60.0, False, id="higher number, server grown older"),
        pytest.param(9, 100, 50.05, False, id="opened side by side, overtaken"),
        pytest.param(3, 60, 10.0, False, id="the older connection of the two"),
    ],
)
def test_a_restart_is_told_from_an_older_connection(thread_id, uptime, opening_at, restarted):
    after = dataclasses.replace(
        LEARNED, thread_id=thread_id, uptime=uptime, opening_at=opening_at, learned_at=opening_at + 0.1
    )
    assert restarted_between(LEARNED, after) is restarted


def test_an_old_copy_of_the_transactions_proves_nothing(monkeypatch):
    """MySQL shows INNODB_TRX as it was when somebody looked first, until nobody has looked for 0.1 s."""
    server = FakeServer()
    monkeypatch.setattr(fencing, "_COPY_KEPT", 0.0)
    copies = [((8,),), (), ((8,), (2,)), ((2,),)]
    server.answer(b"INNODB_TRX", lambda _session, _sql: Reply(copies.pop(0), ("trx_mysql_thread_id",)))
    connection = fake_driver.connect(server=server)
    now = dataclasses.replace(LEARNED, thread_id=2)
    assert fencing._locks_gone(FAKE, connection, now, 8, float("inf"))
    assert copies == []
    assert server.statements()[0] == b"START TRANSACTION WITH CONSISTENT SNAPSHOT"
    assert server.statements()[-1] == b"ROLLBACK"
    FAKE.discard(connection)
    server.close()


@pytest.mark.parametrize("gone", [True, False])
def test_a_first_statement_that_skips_locks_is_sent_again_only_when_its_ghosts_locks_are_gone(rig, server, run, gone):
    connection = rig.connect()
    server.privileged = gone
    sql = "SELECT x FROM t WHERE id = 1 FOR UPDATE SKIP LOCKED"
    server.break_at(Step.REPLY, sql.encode(), ghost=True)
    if gone:
        assert run(connection, sql).fetchall() == ((10,),)
    else:
        with pytest.raises(fake_driver.OperationalError) as caught:
            run(connection, sql)
        assert "SKIP LOCKED" in caught.value.__notes__[0]


def test_the_server_has_had_its_time_when_the_ghost_is_old(rig, server, run, monkeypatch):
    connection = rig.connect()
    run(connection, UPDATE)
    server.break_at(Step.SEND, b"ROLLBACK", ghost=True)
    connection.rollback()
    monkeypatch.setattr(fencing, "_GRACE", 0.05)
    time.sleep(0.06)
    pauses = []
    monkeypatch.setattr(fencing.time, "sleep", pauses.append)
    rig.connect()
    assert (server.kills, pauses) == (1, [])
