"""One statement under the guard's eye: done, failed, or ended for the load."""

from __future__ import annotations

import threading

import pytest

from stillhere.maintain.guard import Limits, Load, verdict
from stillhere.maintain.progress import TurnState
from stillhere.maintain.work import carry_out
from stillhere.survey.take import NotAllowed

LIMITS = Limits(running=10, lag=30, lock_wait=5)
OK = [{"msg_type": "status", "msg_text": "OK"}]


class Eye:
    """Sees the loads that the test says, the last one for ever."""

    def __init__(self, *loads):
        self.loads = list(loads) or [Load(running=1)]
        self.ended = threading.Event()

    def load(self):
        return self.loads.pop(0) if len(self.loads) > 1 else self.loads[0]

    def end(self):
        self.ended.set()

    def holders(self, table):
        return f"; open transactions on {table}: app"


def run(ask, eye=None, tell=lambda _seconds, _load: None):
    return carry_out("ANALYZE TABLE t", "d.t", ask, eye or Eye(), LIMITS, tell, interval=0.01)


def test_a_statement_that_ends_well_is_done():
    ended = run(lambda _sql: OK)
    assert (ended.state, ended.detail) == (TurnState.DONE, "OK")


@pytest.mark.parametrize("rows", [[], [{"msg_type": "note", "msg_text": "done"}, *OK]])
def test_no_rows_and_notes_are_no_errors(rows):
    assert run(lambda _sql: rows).state is TurnState.DONE


@pytest.mark.parametrize("kind", ["Error", "error", "warning"])
def test_an_error_in_a_row_is_a_failure(kind):
    ended = run(lambda _sql: [{"msg_type": kind, "msg_text": "Corrupt"}, {"msg_type": "status", "msg_text": "failed"}])
    assert (ended.state, ended.detail) == (TurnState.FAILED, "Corrupt")


def test_an_error_in_a_row_that_took_as_long_as_a_lock_is_waited_for_names_who_may_hold_it():
    rows = [{"msg_type": "Error", "msg_text": "gave up"}]
    limits = Limits(lock_wait=0)
    ended = carry_out("CHECK TABLE t", "d.t", lambda _sql: rows, Eye(), limits, lambda *_seen: None, interval=0.01)
    assert ended.detail.startswith("gave up (after 0 s; a metadata lock is waited for 0 s; open transactions on d.t")


def raising(error):
    def ask(sql):
        raise error

    return ask


def test_a_metadata_lock_that_was_not_granted_names_who_may_hold_it():
    ended = run(raising(RuntimeError(1205, "Lock wait timeout exceeded")))
    assert ended.state is TurnState.FAILED
    assert ended.detail == "no metadata lock within 5 s: somebody uses the table; open transactions on d.t: app"


def test_a_missing_right_is_a_failure_that_says_which():
    assert run(raising(NotAllowed("needs INSERT"))).detail == "needs INSERT"


def test_any_other_error_has_its_number():
    assert run(raising(RuntimeError(1846, "not supported"))).detail == "not supported (1846)"


def test_over_the_limit_nothing_is_begun():
    ran = []
    ended = run(ran.append, Eye(Load(running=11)))
    assert ended.state is TurnState.STOPPED
    assert ended.detail.startswith("not begun: Threads_running is 11, over 10")
    assert ran == []


def test_when_the_load_rises_the_statement_is_ended():
    eye = Eye(Load(running=1), Load(running=2), Load(running=1, lag=31))

    def ask(sql):
        assert eye.ended.wait(10)
        raise RuntimeError(1317, "Query execution was interrupted")

    seen = []
    ended = run(ask, eye, lambda _seconds, load: seen.append(load.running))
    assert ended.state is TurnState.STOPPED
    assert "31 s behind its source" in ended.detail
    assert seen == [2, 1]


def test_one_that_was_quicker_than_its_end_is_done():
    eye = Eye(Load(running=1), Load(running=11))

    def ask(sql):
        assert eye.ended.wait(10)
        return OK

    assert run(ask, eye).state is TurnState.DONE


def test_ctrl_c_ends_the_statement_before_it_is_passed_on():
    eye = Eye()

    def ask(sql):
        assert eye.ended.wait(10)
        raise RuntimeError(1317, "Query execution was interrupted")

    def interrupt(seconds, load):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(ask, eye, interrupt)
    assert eye.ended.is_set()


@pytest.mark.parametrize(
    ("load", "stops"),
    [
        (Load(running=10), False),
        (Load(running=11), True),
        (Load(running=1, lag=30), False),
        (Load(running=1, lag=30.5), True),
        (Load(running=1, lag=None), False),
    ],
)
def test_the_guard_stops_past_its_limits_only(load, stops):
    assert (verdict(load, LIMITS) is not None) is stops
