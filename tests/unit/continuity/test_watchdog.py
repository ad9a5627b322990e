"""The watchdog: when a statement is given up, and that nothing else is shut down in its place."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from stillhere.continuity import watchdog
from stillhere.continuity.watchdog import Look, Watch, judge
from stillhere.errors import StatementOutcomeUnknown
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import Reply, ServerError

ANSWERS = [Look.WORKING, Look.ASLEEP, Look.GONE, Look.UNREACHABLE]


@pytest.mark.parametrize(
    ("before", "now", "readable", "long"),
    list(itertools.product(["", *ANSWERS], ANSWERS, [False, True], [False, True])),
)
def test_every_pair_of_answers_is_judged(before, now, readable, long):
    why = judge(before, now, readable=readable, silent_for=10.1 if long else 9.9, detect_within=5.0)
    given_up = not readable and (
        now == Look.GONE
        or (before == now == Look.ASLEEP)
        or (before == now == Look.UNREACHABLE and long)
    )  # fmt: skip
    assert bool(why) is given_up


@pytest.fixture
def watched(make_rig):
    return make_rig(detect_within=5.0, ride_through=1.0)


def look(watch: Watch, *, times: int = 1) -> None:
    """Rounds of the watchdog's own thread, without its pauses."""
    for _ in range(times):
        thread = threading.Thread(target=watch.look_around)
        thread.start()
        thread.join()
        watch._seen = {key: (sent, seen, at - 60) for key, (sent, seen, at) in watch._seen.items()}


def vanish(server, session, watch: Watch) -> None:
    """The server has no such thread any more, and nothing of that reaches the client."""
    server.sessions.pop(session.thread_id)
    look(watch)
    session.wire.close()


def in_flight(server, connection, match: bytes, during) -> None:
    """While a statement is in flight, and has been for a long time: do that."""

    def answer(session, _sql):
        connection._stillhere.sent_at -= 6.0
        during(session)

    server.answer(match, answer)


def test_a_statement_whose_thread_is_gone_is_given_up(watched, server, run):
    connection = watched.connect(autocommit=True)
    watch = Watch()

    in_flight(server, connection, b"UPDATE", lambda session: vanish(server, session, watch))
    with pytest.raises(StatementOutcomeUnknown):
        run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    assert run(connection, "SELECT 1").fetchone() == (1,)


def test_a_statement_that_the_server_works_on_is_waited_for(watched, server, run):
    connection = watched.connect(autocommit=True)
    watch = Watch()
    in_flight(server, connection, b"SELECT x", lambda _: look(watch, times=5))
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)
    assert server.sent(b"PROCESSLIST WHERE ID IN") == 5


def test_a_statement_that_the_server_finished_is_given_up_at_the_second_look(watched, server, run):
    connection = watched.connect(autocommit=True)
    watch = Watch()
    condemned = []

    def finished(session):
        session.command = "Sleep"
        for _ in range(2):
            look(watch)
            condemned.append(connection._stillhere.condemned)

    in_flight(server, connection, b"UPDATE", finished)
    with pytest.raises(StatementOutcomeUnknown):
        run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    assert condemned == ["", "the server has finished with it and its reply did not arrive"]


def test_a_condemned_statement_is_a_loss_and_no_timeout_of_the_clients(watched, server, run):
    """The read timeout is long past by then, and must not be blamed."""
    connection = watched.connect(autocommit=True, read_timeout=0.001)
    watch = Watch()
    first = iter([True])

    def lost_silently(session):
        if next(first, False):
            vanish(server, session, watch)
            time.sleep(0.002)

    in_flight(server, connection, b"SELECT x", lost_silently)
    assert run(connection, "SELECT x FROM t").fetchone() == (10,)


def test_nobody_is_asked_about_statements_that_are_young_or_done(watched, server, run):
    connection = watched.connect(autocommit=True)
    watch = Watch()
    server.answer(b"SELECT x", lambda *_: look(watch))
    run(connection, "SELECT x FROM t")
    look(watch)
    assert server.sent(b"PROCESSLIST WHERE ID IN") == 0


def test_where_detection_is_off_nobody_is_asked(make_rig, server, run):
    connection = make_rig(detect_within=0).connect(autocommit=True)
    watch = Watch()
    in_flight(server, connection, b"SELECT x", lambda _: look(watch))
    run(connection, "SELECT x FROM t")
    assert server.sent(b"PROCESSLIST WHERE ID IN") == 0


def test_a_statement_that_returned_just_before_the_shutdown_saves_the_next_ones_socket(watched, server, run):
    connection = watched.connect(autocommit=True)
    link = connection._stillhere
    link.sent_at = condemned_at = time.monotonic() - 6
    link.let_go(condemned_at)
    watchdog._condemn(link, condemned_at, "too late")
    assert link.condemned == ""
    assert run(connection, "SELECT 1").fetchone() == (1,)
    link.sent_at = condemned_at + 5
    watchdog._condemn(link, condemned_at, "the one before")
    link.sent_at = 0.0
    assert run(connection, "SELECT 1").fetchone() == (1,)
    assert connection.thread_id() == 8


def test_a_slow_call_does_not_let_go_while_the_watchdog_decides(watched):
    connection = watched.connect(autocommit=True)
    link = connection._stillhere
    let_go = threading.Event()
    with link.watching:
        thread = threading.Thread(target=lambda: (link.let_go(time.monotonic() - 6), let_go.set()))
        thread.start()
        assert not let_go.wait(0.02)
        quick = threading.Thread(target=lambda: link.let_go(time.monotonic()))
        quick.start()
        quick.join(1)
        assert not quick.is_alive()
    assert let_go.wait(1)
    thread.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda server: setattr(server, "down", 2003), Look.UNREACHABLE),
        (lambda server: setattr(server, "down", 1045), Look.WORKING),
        (lambda server: server.answer(b"PROCESSLIST WHERE ID IN", ServerError(1227)), Look.UNREACHABLE),
        (lambda server: server.break_at(Step.REPLY, b"PROCESSLIST WHERE ID IN"), Look.UNREACHABLE),
        (lambda server: server.answer(b"PROCESSLIST WHERE ID IN", Reply((), ("ID",))), Look.GONE),
        (lambda server: setattr(server.sessions[8], "user", "another"), Look.GONE),
        (lambda _: None, Look.ASLEEP),
    ],
)
def test_what_the_server_is_seen_doing(watched, server, answer, expected):
    connection = watched.connect()
    link = connection._stillhere
    answer(server)
    assert watchdog._ask(link.endpoint, [link.facts], link.chain) == [expected]
    server.down = 0


def test_its_question_leaves_no_connection_behind(watched, server):
    link = watched.connect()._stillhere
    watchdog._ask(link.endpoint, [link.facts], link.chain)
    server._reap()
    assert list(server.sessions) == [8]


def test_one_thread_watches_a_process(monkeypatch):
    started = []
    monkeypatch.setattr(Watch, "start", lambda self: started.append(self))  # noqa: PLW0108 - bound
    monkeypatch.setattr(Watch, "running", property(lambda self: self in started))
    monkeypatch.setattr(watchdog, "_watch", None)
    watchdog.ensure_running()
    watchdog.ensure_running()
    assert len(started) == 1
    monkeypatch.setattr(watchdog, "_watch", (-1, started[0]))
    watchdog.ensure_running()
    assert len(started) == 2


def test_the_watchdog_survives_its_own_defects(monkeypatch, caplog):
    outcomes = iter([RuntimeError("broken round"), RuntimeError("another"), SystemExit()])

    def broken(_self):
        raise next(outcomes)

    monkeypatch.setattr(Watch, "look_around", broken)
    with pytest.raises(SystemExit):
        Watch(tick=0.0)._run()
    assert caplog.text.count("stillhere.watchdog_failed") == 2
