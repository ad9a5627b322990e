"""Events: who hears them, and that a listener can't do harm."""

from __future__ import annotations

import dataclasses

import pytest

from stillhere import events

WAIT = events.Wait(server="s", seconds=1.0, served=True)


@pytest.fixture
def listening():
    added = []

    def listening(listener):
        added.append(events.listen(listener))
        return listener

    yield listening
    for listener in added:
        events.unlisten(listener)


def test_every_listener_hears_in_order_until_it_stops(listening):
    heard = []
    first = listening(lambda event: heard.append(("first", event)))
    listening(lambda event: heard.append(("second", event)))
    events.emit(WAIT)
    events.unlisten(first)
    events.unlisten(first)
    events.emit(WAIT)
    assert heard == [("first", WAIT), ("second", WAIT), ("second", WAIT)]


def test_a_listener_that_raises_is_logged_and_the_others_hear(listening, caplog):
    heard = []

    def broken(_event):
        raise RuntimeError("broken listener")

    listening(broken)
    listening(heard.append)
    events.emit(WAIT)
    assert heard == [WAIT]
    assert "stillhere.listener_failed" in caplog.text


def test_records_cant_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        WAIT.seconds = 2.0


def test_a_listener_that_raises_changes_nothing_for_the_application(rig, server, run, idle, listening):
    connection = rig.connect(autocommit=True)

    def broken(_event):
        raise RuntimeError("broken listener")

    listening(broken)
    server.cut()
    idle(connection)
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_a_loss_is_told_with_its_evidence_then_its_recovery(rig, server, run, idle):
    connection = rig.connect(autocommit=True)
    server.cut()
    idle(connection, 3.0)
    run(connection, "SELECT 1")
    [loss, recovery] = rig.events
    assert (loss.thread_id, loss.phase, loss.verdict, loss.errno) == (8, "IDLE", "NOT_SENT", 0)
    assert (loss.statement, loss.wait_timeout, loss.in_transaction) == ("SELECT", 28800.0, False)
    assert 3.0 <= loss.idle < 4.0
    assert (recovery.action, recovery.loss) == ("RESEND", loss)
