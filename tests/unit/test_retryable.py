"""What may be run again: every exception of the package, the drivers' codes, and what wraps or precedes them."""

from __future__ import annotations

import sqlite3
import sys

import MySQLdb
import pymysql
import pytest
from sqlalchemy import exc

from stillhere import errors
from stillhere.continuity.continuation import Call, Situation
from stillhere.continuity.statement import Kind
from stillhere.continuity.verdict import Verdict
from stillhere.retryable import is_retryable, retry_after
from stillhere.server import errorcodes

DRIVERS = (MySQLdb, pymysql)
AGAIN = {1213, 1205, 3572, 1206, 1402, 1613, 1614, 3101, 1053, 1040, 1135, 1203, 2001, 2002, 2003, 2005, 2012}


def caught(raising):
    try:
        raising()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def raised(error, *, cause=None, during=None):
    """The exception as `raise` leaves it."""

    def raising():
        if during is None:
            raise error from cause
        try:
            raise during
        except type(during):
            raise error from cause

    return caught(raising)


def wrapped(error):
    """As SQLAlchemy does it."""
    kind = getattr(exc, next(k.__name__ for k in type(error).__mro__ if hasattr(exc, k.__name__)))
    return raised(kind("UPDATE t", {}, error), cause=error)


def lost(*, uncommitted):
    error = errors.TransactionLost("gone")
    error.uncommitted = uncommitted
    return error


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("how", [lambda error: error, wrapped], ids=["raw", "wrapped"])
def test_of_all_codes_only_those_that_prove_a_rollback_or_no_connection(driver, how):
    kinds = ("OperationalError", "InternalError", "ProgrammingError", "IntegrityError", "DataError", "InterfaceError")
    codes = {line.code for line in errorcodes._TABLE} | set(range(1000, 1100)) | {1062, 1064, 1142, 1216, 1451, 1452}
    for kind in kinds:
        assert {code for code in codes if is_retryable(how(getattr(driver, kind)(code, "text")))} == AGAIN


PUBLIC = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CallError)]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("driver", DRIVERS)
def test_of_the_packages_own_only_those_that_prove_it(kind, driver):
    expected = kind.__name__ in {"ReplayDiverged", "ServerUnavailable"}
    for error in (kind("text"), errors.for_driver(kind, driver)("text")):
        assert is_retryable(error) is expected
        assert is_retryable(raised(error, cause=driver.OperationalError(2013, "lost"))) is expected
    assert is_retryable(wrapped(errors.for_driver(kind, driver)("text"))) is expected


def test_a_lost_transaction_only_when_it_is_known_that_nothing_was_committed():
    assert is_retryable(lost(uncommitted=True))
    assert not is_retryable(lost(uncommitted=False))


def test_an_absent_server_only_when_no_reply_that_matters_was_lost_before():
    error = errors.for_driver(errors.ServerUnavailable, pymysql)("away")
    assert is_retryable(error)
    error.uncommitted = False
    assert not is_retryable(error)


@pytest.mark.parametrize("verdict", Verdict)
def test_whether_a_lost_call_may_have_committed(verdict):
    def open_end(call, **facts):
        return Situation(call=call, verdict=verdict, kind=Kind.READ, **facts).open_end

    maybe = verdict is Verdict.MAYBE_EXECUTED
    assert open_end(Call.COMMIT, begun=True) is maybe
    assert open_end(Call.STATEMENT) is maybe
    assert open_end(Call.STATEMENT, begun=True, may_commit=True) is maybe
    assert not open_end(Call.STATEMENT, begun=True)
    assert not open_end(Call.STATEMENT, transactional=True)


def test_a_drivers_own_loss_only_when_stillhere_knows_that_nothing_was_committed():
    error = pymysql.err.OperationalError(2013, "Lost connection")
    assert not is_retryable(error)
    errors.judge(error, uncommitted=False)
    assert not is_retryable(error)
    errors.judge(error, uncommitted=True)
    assert is_retryable(error)
    assert is_retryable(wrapped(error))


@pytest.mark.parametrize(
    "other",
    [
        ValueError(1213),
        KeyError(1205),
        OSError(1213, "text"),
        sqlite3.OperationalError(1213),
        KeyboardInterrupt(),
        GeneratorExit(),
        pymysql.err.OperationalError(),
        pymysql.err.OperationalError("(1213, 'Deadlock found')"),
        pymysql.err.OperationalError(True, "text"),
        pymysql.err.InterfaceError(0, ""),
        exc.TimeoutError("QueuePool limit reached"),
        exc.PendingRollbackError("(1213, 'Deadlock found')"),
        errors.ConfigurationError("deadlock"),
    ],
    ids=repr,
)
def test_neither_the_text_nor_a_number_of_somebody_else_decides(other):
    assert not is_retryable(other)


def test_an_applications_own_exception_is_looked_through_only_if_asked():
    error = raised(ValueError("could not book"), cause=wrapped(MySQLdb.OperationalError(1213, "deadlock")))
    assert not is_retryable(error)
    assert is_retryable(error, chained=True)
    unknown = raised(ValueError("could not book"), cause=errors.CommitOutcomeUnknown("open"))
    assert not is_retryable(unknown, chained=True)


def test_an_attribute_named_orig_means_something_on_sqlalchemys_only():
    error = ValueError("mine")
    error.orig = pymysql.err.OperationalError(1213, "deadlock")
    assert not is_retryable(error)


FORBIDDING = [
    errors.CommitOutcomeUnknown("open"),
    errors.StatementOutcomeUnknown("open"),
    errors.StatementTimeout("perhaps of a COMMIT"),
    errors.StatementKilled("on purpose"),
    errors.TransactionKilled("on purpose"),
    errors.PoisonStatement("crashed it"),
    wrapped(errors.for_driver(errors.CommitOutcomeUnknown, pymysql)("open")),
    pymysql.err.OperationalError(2013, "lost, perhaps in COMMIT"),
    pymysql.err.InterfaceError(0, ""),
]


@pytest.mark.parametrize("first", FORBIDDING, ids=repr)
@pytest.mark.parametrize("how", [{}, {"cause": None}], ids=["", "from None"])
def test_an_open_outcome_caught_on_the_way_forbids_it(first, how):
    deadlock = pymysql.err.OperationalError(1213, "deadlock")
    assert not is_retryable(raised(wrapped(deadlock), during=first, **how))
    group = ExceptionGroup("several", [first])
    assert not is_retryable(raised(pymysql.err.OperationalError(1213, "deadlock"), during=group))


@pytest.mark.parametrize("first", FORBIDDING, ids=repr)
def test_what_was_being_handled_before_the_unit_began_is_not_its_story(first):
    def reconcile():
        try:
            raise first
        except type(first):
            outside = sys.exception()
            error = raised(pymysql.err.OperationalError(1213, "deadlock"))
            return is_retryable(error, outside=outside), is_retryable(error)

    assert reconcile() == (True, False)


def test_a_loss_that_stillhere_continued_does_not_stand_in_the_way_of_the_next_error():
    continued = pymysql.err.OperationalError(2013, "lost")
    errors.judge(continued, uncommitted=False)
    assert is_retryable(raised(pymysql.err.OperationalError(1213, "deadlock"), during=continued))


def test_a_duplicate_key_that_the_application_handled_does_not_stand_in_its_way():
    duplicate = pymysql.err.IntegrityError(1062, "duplicate")
    assert is_retryable(raised(pymysql.err.OperationalError(1213, "deadlock"), during=duplicate))


def test_a_circle_of_causes_ends():
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert not is_retryable(one, chained=True)


def test_the_wait_that_an_absent_server_asks_for_is_found_beneath_a_wrapper():
    error = errors.for_driver(errors.ServerUnavailable, MySQLdb)("away")
    error.retry_after = 7.0
    assert retry_after(wrapped(error)) == 7.0
    assert retry_after(ValueError()) == 0.0
