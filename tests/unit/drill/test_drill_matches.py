"""What the match pages say about an exception, and the decorator that people paste."""

from __future__ import annotations

import MySQLdb
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError, TimeoutError  # noqa: A004 - SQLAlchemy's own name
from werkzeug.exceptions import NotFound

from stillhere.errors import (
    CommitOutcomeUnknown,
    PacketTooLarge,
    ServerUnavailable,
    for_driver,
)
from stillhere.lab.apps.matches.data import SEEDED, page
from stillhere.lab.apps.matches.problems import answer, describe
from stillhere.lab.apps.matches.retry import ATTEMPTS, retry


def wrapped(inner, *, lost=False):
    return OperationalError("SELECT 1", {}, inner, connection_invalidated=lost)


def ours(error):
    return wrapped(for_driver(error, MySQLdb)("it is gone"))


@pytest.fixture
def context():
    with Flask(__name__).app_context():
        yield


def test_a_loss_from_the_driver_is_raw():
    told = describe(wrapped(MySQLdb.OperationalError(2013, "Lost connection")))
    assert (told["error"], told["code"], told["raw"], told["named"]) == ("OperationalError", 2013, True, False)


def test_a_loss_that_sqlalchemy_did_not_wrap_is_raw_as_well():
    assert describe(MySQLdb.OperationalError(2006, "gone"))["raw"]


def test_a_refused_connection_is_raw():
    assert describe(wrapped(MySQLdb.OperationalError(2003, "can't connect")))["raw"]


def test_a_deadlock_is_not_about_the_connection():
    assert not describe(wrapped(MySQLdb.OperationalError(1213, "Deadlock")))["raw"]


def test_an_exception_of_stillhere_is_named_and_not_raw():
    told = describe(ours(CommitOutcomeUnknown))
    assert (told["error"], told["named"], told["raw"]) == ("CommitOutcomeUnknown", True, False)


def test_a_note_of_stillhere_names_the_drivers_own_error():
    inner = MySQLdb.OperationalError(2013, "Lost connection")
    inner.add_note("stillhere: the transaction holds GET_LOCK")
    told = describe(wrapped(inner, lost=True))
    assert (told["named"], told["raw"]) == (True, False)


def test_somebody_elses_note_names_nothing():
    inner = MySQLdb.OperationalError(2013, "Lost connection")
    inner.add_note("try again")
    assert describe(wrapped(inner))["raw"]


def test_a_full_pool_is_an_error_but_not_the_drivers():
    told = describe(TimeoutError("QueuePool limit of size 5 overflow 5 reached"))
    assert (told["error"], told["raw"], told["named"]) == ("TimeoutError", False, False)


def test_unavailable_is_503_with_retry_after(context):
    response = answer(ours(ServerUnavailable))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


def test_too_large_is_413_and_all_else_500(context):
    assert answer(ours(PacketTooLarge)).status_code == 413
    assert answer(ours(CommitOutcomeUnknown)).status_code == 500
    assert answer(ValueError("no")).status_code == 500
    assert answer(NotFound()).code == 404


def test_the_recipe_rolls_back_and_tries_again():
    calls, rollbacks = [], []

    @retry(lambda: rollbacks.append(1))
    def view():
        calls.append(1)
        if len(calls) < ATTEMPTS:
            raise wrapped(MySQLdb.OperationalError(2013, "Lost connection"))
        return "done"

    assert view() == "done"
    assert (len(calls), len(rollbacks)) == (ATTEMPTS, ATTEMPTS - 1)


def test_the_recipe_gives_up_in_the_end_and_lets_other_errors_through():
    calls = []

    @retry(lambda: None)
    def view(error):
        calls.append(1)
        raise error

    with pytest.raises(OperationalError):
        view(wrapped(MySQLdb.OperationalError(2013, "Lost connection")))
    assert len(calls) == ATTEMPTS
    with pytest.raises(ValueError, match="no"):
        view(ValueError("no"))
    assert len(calls) == ATTEMPTS + 1


def test_no_two_matches_have_the_same_page():
    pages = [page(number) for number in range(1, SEEDED + 1)]
    assert all(one != other for index, one in enumerate(pages) for other in pages[:index])
    assert all(one["players"][0] != one["players"][1] for one in pages)
