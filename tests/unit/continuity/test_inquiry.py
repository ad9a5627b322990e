"""The inquiry: what is asked about losses, how often and over which connection, and that nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

import pytest

from stillhere import events
from stillhere.causes.incidents import Store, store_path
from stillhere.continuity import asking, inquiry
from stillhere.continuity import dossier as dossier_module
from stillhere.continuity.asking import Question
from stillhere.continuity.facts import UNKNOWN_FACTS
from stillhere.continuity.inquiry import INQUIRY, Inquiry
from stillhere.continuity.sighting import Sighting
from stillhere.continuity.verdict import Phase, Verdict
from stillhere.errors import CommitOutcomeUnknown, ServerUnavailable
from stillhere.testing.fake_driver import FAKE, OperationalError
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError


def seen():
    return Sighting(server="s", driver="fake", phase=Phase.IDLE, verdict=Verdict.NOT_SENT, lost=UNKNOWN_FACTS)


@pytest.fixture
def answering(server):
    """The server answers what is asked about losses."""
    server.kills = 3
    server.answer(b"SHOW GLOBAL STATUS", lambda *_: Reply((("Com_kill", str(server.kills)),), ("n", "v")))
    server.answer(b"SHOW GLOBAL VARIABLES", Reply((("wait_timeout", "28800"), ("read_only", "OFF")), ("n", "v")))
    server.answer(b"performance_schema.error_log", ServerError(1142, "SELECT command denied"))


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLHERE_STATE", str(tmp_path))
    path = store_path()
    assert path is not None
    return Store(path)


@pytest.fixture
def at_once(monkeypatch):
    """Nothing is waited for before a loss is asked about."""
    monkeypatch.setattr(inquiry, "SETTLED", 0.0)
    monkeypatch.setattr(inquiry, "FIRST_LOOK", 0.0)


def told(rig):
    return [event for event in rig.events if isinstance(event, events.Incident)]


# -- asking --------------------------------------------------------------------------------------------------


def test_the_counters_are_read_over_a_connection_of_its_own_which_is_closed(make_rig, server, answering):
    rig = make_rig()
    link = rig.connect()._stillhere
    before = set(server.sessions)
    answers = asking.ask(rig.endpoint, link.chain, rig.endpoint.dossier, Question())
    assert answers.sample.kills == 3
    assert rig.endpoint.dossier.last_sample is answers.sample
    assert set(server.statements(min(before))) == set()
    server._reap()
    assert set(server.sessions) == before


def test_settings_and_threads_are_asked_for_a_loss_and_what_is_denied_is_a_gap(make_rig, server, answering):
    rig = make_rig()
    link = rig.connect()._stillhere
    question = Question(threads=(link.facts.thread_id, 0), since=time.time())
    answers = asking.ask(rig.endpoint, link.chain, rig.endpoint.dossier, question)
    assert answers.variables == {"wait_timeout": "28800", "read_only": "OFF"}
    assert answers.threads == {(link.facts.thread_id, link.facts.user, link.facts.host)}
    assert (
        answers.gaps["log"] == "the error log is not a file that can be read here" or "error_log" in answers.gaps["log"]
    )


def test_a_log_of_another_machine_is_not_looked_for_here(tmp_path):
    log = tmp_path / "error.log"
    log.write_text("")
    here = {"log_error": str(log), "hostname": asking.os.uname().nodename}
    assert asking._local_file("127.0.0.1:3306", here) == log
    assert asking._local_file("/run/mysqld.sock", here) == log
    assert asking._local_file("192.0.2.7:3306", here) is None
    assert asking._local_file("127.0.0.1:3306", here | {"hostname": "elsewhere"}) is None
    assert asking._local_file("127.0.0.1:3306", here | {"log_error": "error.log"}) is None


# -- the inquiry ---------------------------------------------------------------------------------------------


def test_a_loss_is_kept_with_what_the_server_said_of_it(make_rig, server, run, answering, at_once, store, monkeypatch):
    monkeypatch.setattr(dossier_module, "_STILL_REPLIES", 0.0)
    rig = make_rig()
    connection = rig.connect(autocommit=True)
    INQUIRY.look_around()
    server.break_at(Step.REPLY, b"SELECT")
    server.kills += 1
    run(connection, "SELECT x FROM t")
    assert told(rig) == []
    INQUIRY.look_around()
    [incident] = told(rig)
    assert incident.cause == "killed"
    assert store.read() == [replace(incident, at=store.read()[0].at)]


def test_nothing_is_asked_over_the_applications_connection(make_rig, server, run, answering, at_once, store):
    rig = make_rig()
    connection = rig.connect(autocommit=True)
    INQUIRY.look_around()
    own = connection._stillhere.facts.thread_id
    assert server.statements(own) == []
    assert any(b"SHOW GLOBAL STATUS" in sql for sql in server.statements())


def test_a_server_is_asked_once_a_second_at_most(make_rig, server, run, answering, at_once, store):
    rig = make_rig()
    connection = rig.connect(autocommit=True)
    INQUIRY.look_around()
    for _ in range(3):
        server.break_at(Step.REPLY, b"SELECT")
        run(connection, "SELECT x FROM t")
        INQUIRY.look_around()
    assert server.sent(b"SHOW GLOBAL STATUS") == 2
    assert len(told(rig)) == 1


def test_a_server_that_is_away_is_left_to_those_who_need_it(make_rig, server, answering, at_once, store, monkeypatch):
    rig = make_rig(ride_through=0.05)
    rig.connect()
    INQUIRY.look_around()
    server.close()
    with pytest.raises(ServerUnavailable):
        rig.connect()
    tried = rig.endpoint.gate.stats().attempts
    monkeypatch.setattr(asking, "ask", lambda *_: pytest.fail("it asked"))
    INQUIRY.look_around()
    assert told(rig) == []
    assert rig.endpoint.gate.stats().attempts == tried
    monkeypatch.setattr(inquiry, "PATIENCE", -1.0)
    INQUIRY._desks[rig.endpoint.name].next_round = 0.0
    INQUIRY.look_around()
    assert [one.errno for one in told(rig)] == [2003]


def test_a_note_knows_the_settings_that_were_read_before(make_rig, server, run, answering, at_once, idle):
    server.wait_timeout = 100
    connection = make_rig().connect(autocommit=True)
    INQUIRY.look_around()
    server.answer(b"GET_LOCK", Reply.of((1,)))
    run(connection, "SELECT GET_LOCK('a', 0)")
    idle(connection, 120.0)
    server.cut()
    with pytest.raises(OperationalError) as caught:
        run(connection, "SELECT x FROM t")
    assert "idle 120 s" in caught.value.__notes__[1]
    assert "28800 s" in caught.value.__notes__[1]


def test_past_a_thousand_losses_are_dropped_and_counted(make_rig, monkeypatch):
    monkeypatch.setattr(inquiry, "MAX_WAITING", 2)
    rig, asked = make_rig(), Inquiry()
    accepted = [asked.submit(seen(), rig.endpoint, lambda: None) for _ in range(3)]
    assert accepted == [True, True, False]
    assert asked.dropped == 1


def test_what_waits_is_told_at_exit_without_asking(make_rig, server, run, answering, store):
    rig = make_rig()
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT")
    run(connection, "SELECT x FROM t")
    INQUIRY.finish()
    assert len(told(rig)) == len(store.read()) == 1
    assert server.sent(b"SHOW GLOBAL") == 0


def test_a_store_that_fails_costs_only_what_it_was_to_keep(
    make_rig, server, run, answering, at_once, store, caplog, monkeypatch
):
    store.path.mkdir(parents=True)
    rig = make_rig()
    connection = rig.connect(autocommit=True)
    monkeypatch.setattr(inquiry, "BETWEEN_ROUNDS", 0.0)
    monkeypatch.setattr(INQUIRY, "_said", set())
    before = INQUIRY.not_stored
    with caplog.at_level(logging.INFO, "stillhere"):
        for _ in range(2):
            with INQUIRY._turn:  # the thread must not take the turn: the break would meet its question
                server.break_at(Step.REPLY, b"SELECT")
                run(connection, "SELECT x FROM t")
                INQUIRY._look_around()
    assert len(told(rig)) == 2
    assert INQUIRY.not_stored == before + 2
    assert caplog.text.count("stillhere.incidents_not_stored") == 1


def test_a_note_about_an_unknown_cause_says_where_it_will_be_told(make_rig, server, run):
    connection = make_rig().connect()
    run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    server.break_at(Step.REPLY, b"COMMIT")
    with pytest.raises(CommitOutcomeUnknown) as caught:
        connection.commit()
    assert caught.value.__notes__[0].endswith("shown by: stillhere incidents")


def test_with_incidents_off_nobody_is_asked_and_nothing_is_kept(make_rig, server, run, at_once, store):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT")
    run(connection, "SELECT x FROM t")
    INQUIRY.look_around()
    assert len(told(rig)) == 1
    assert server.sent(b"SHOW GLOBAL") == 0
    assert not store.path.exists()


def test_counters_are_not_read_again_where_no_connection_is_left(make_rig, server, answering, at_once, monkeypatch):
    rig = make_rig()
    connection = rig.connect()
    INQUIRY.look_around()
    assert server.sent(b"SHOW GLOBAL STATUS") == 1
    monkeypatch.setattr(inquiry, "known", list)
    INQUIRY._desks[rig.endpoint.name].next_look = 0.0
    INQUIRY.look_around()
    assert server.sent(b"SHOW GLOBAL STATUS") == 1
    assert rig.endpoint.name not in INQUIRY._desks
    FAKE.discard(connection)


def test_the_thread_survives_its_own_defects(monkeypatch, caplog):
    asked, twice = Inquiry(), threading.Event()
    calls = []

    def fail():
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        raise ValueError("a defect")

    monkeypatch.undo()
    monkeypatch.setattr(inquiry, "BETWEEN_ROUNDS", 0.0)
    monkeypatch.setattr(asked, "look_around", fail)
    monkeypatch.setattr(asked, "_pause", lambda: 0.0 if len(calls) < 2 else 3600.0)
    asked._ensure_running()
    assert twice.wait(10)
    assert asked._thread is not None
    assert asked._thread.daemon
    assert "stillhere.inquiry_failed" in caplog.text


def test_in_the_child_of_a_fork_nothing_of_the_parents_waits(make_rig):
    rig, asked = make_rig(), Inquiry()
    asked.submit(seen(), rig.endpoint, lambda: None)
    asked._lock.acquire()
    asked.forked()
    assert asked._thread is None
    assert asked.submit(seen(), rig.endpoint, lambda: None) is True
    assert len(asked._desks[rig.endpoint.name].waiting) == 1
