"""Idle cuts seen in the process list: sessions that vanish at a limit, and not those that leave by themselves."""

from __future__ import annotations

from stillhere.tune.watching import Look, cuts_between, watch

from .conftest import session

LIMITS = {"wait_timeout": 5.0, "idle_transaction_timeout": 0.0}


def look(at, *sessions, aborted=0):
    return Look(at=at, sessions=sessions, aborted=aborted)


def test_a_session_that_vanishes_at_the_limit_was_cut():
    seen = cuts_between([look(0, session(1, seconds=5)), look(0.5, aborted=1)], LIMITS)
    assert (seen.number, seen.by, seen.at) == (1, (("app", 1),), (5,))


def test_a_session_that_leaves_in_order_was_not():
    assert cuts_between([look(0, session(1, seconds=5)), look(0.5, aborted=0)], LIMITS).number == 0


def test_a_client_that_dies_long_before_the_limit_was_not():
    assert cuts_between([look(0, session(1, seconds=1)), look(0.5, aborted=1)], LIMITS).number == 0


def test_a_session_at_work_was_not():
    assert cuts_between([look(0, session(1, idle=False, seconds=5)), look(0.5, aborted=1)], LIMITS).number == 0


def test_there_are_no_more_cuts_than_aborted_clients():
    sessions = [session(at, seconds=5) for at in range(4)]
    assert cuts_between([look(0, *sessions), look(0.5, aborted=3)], LIMITS).number == 3


def test_one_that_stays_is_none():
    stays = session(1, seconds=5)
    assert cuts_between([look(0, stays), look(0.5, stays, aborted=1)], LIMITS).number == 0


def test_it_is_looked_until_the_time_is_over():
    times = iter([0.0, 0.6, 1.2, 1.8, 2.4])
    pauses = []
    looks = watch(lambda: look(next(times)), 2.0, pauses.append)
    assert [one.at for one in looks] == [0.0, 0.6, 1.2, 1.8, 2.4]
    assert pauses == [0.5] * 4
