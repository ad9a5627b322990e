"""What clients are to do, when they are cut, and what they conclude from an error."""

from __future__ import annotations

from itertools import islice

import pymysql
import pytest
from sqlalchemy.exc import OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoPlace

from stillhere import events
from stillhere.errors import CommitOutcomeUnknown, TransactionLost, for_driver
from stillhere.lab.check.chaos import Mix, planned
from stillhere.lab.check.clients import Witnesses, judge
from stillhere.lab.check.history import Kind, Known, Outcome
from stillhere.lab.check.workload import Conflict, World, plans
from stillhere.lab.wire import When


def test_the_same_seed_plans_the_same():
    first, again, other = (list(islice(plans(seed, 3, World()), 200)) for seed in (1, 1, 2))
    assert first == again != other
    assert {plan.kind for plan in first} == set(Kind)
    assert len({plan.id for plan in first}) == 200
    assert all(plan.source != plan.target for plan in first)


def test_the_same_seed_cuts_the_same():
    mix = Mix(commands=10, ghosts=0.5)
    first, again, other = ([planned(seed, n, mix) for n in range(500)] for seed in (1, 1, 2))
    assert first == again != other
    assert {cut.when for cut in first} == set(When)
    assert 5 < sum(cut.number for cut in first) / 500 < 15
    assert 150 < sum(cut.ghost for cut in first) < 350


def wrapped(error: Exception) -> OperationalError:
    return OperationalError("SELECT 1", {}, error)


def noted(error: Exception) -> Exception:
    error.add_note("stillhere: not continued: because")
    return error


@pytest.mark.parametrize(
    ("error", "outcome", "known"),
    [
        (None, Outcome.OK, Known.NOTHING),
        (wrapped(for_driver(CommitOutcomeUnknown, pymysql)("x")), Outcome.UNKNOWN, Known.NOTHING),
        (wrapped(for_driver(TransactionLost, pymysql)("x")), Outcome.FAILED, Known.NOTHING),
        (wrapped(noted(pymysql.err.OperationalError(2013, "lost"))), Outcome.FAILED, Known.NOTHING),
        (wrapped(pymysql.err.OperationalError(2013, "lost")), Outcome.BARE, Known.RAW),
        (wrapped(pymysql.err.InterfaceError(0, "")), Outcome.BARE, Known.RAW),
        (wrapped(pymysql.err.OperationalError(1213, "deadlock")), Outcome.FAILED, Known.NOTHING),
        (wrapped(pymysql.err.OperationalError(1205, "lock wait")), Outcome.FAILED, Known.LOCK),
        (wrapped(pymysql.err.ProgrammingError(1064, "syntax")), Outcome.BARE, Known.DEFECT),
        (PendingRollbackError("roll back first"), Outcome.FAILED, Known.NOTHING),
        (NoPlace("QueuePool limit"), Outcome.FAILED, Known.POOL),
        (Conflict("another"), Outcome.FAILED, Known.NOTHING),
        (KeyError("a mistake"), Outcome.FAILED, Known.DEFECT),
    ],
)
def test_what_a_client_concludes(error, outcome, known):
    assert judge(error) == (outcome, known)


def test_losses_are_kept_for_the_thread_that_met_them_and_other_servers_are_not_heard():
    heard = Witnesses("here")
    fields = {"phase": "COMMIT", "verdict": "", "errno": 2013, "statement": "COMMIT", "idle": 0, "age": 0}
    for server in ("here", "there"):
        loss = events.Loss(server=server, thread_id=7, in_transaction=True, wait_timeout=0, **fields)
        heard(loss)
        heard(events.Recovery(loss=loss, action="REPLAY", seconds=0.1))
        heard(events.Refusal(loss=loss, error="CommitOutcomeUnknown", reason=""))
    assert heard.counts == {"losses": 1, "continued: REPLAY": 1, "refused: CommitOutcomeUnknown": 1}
    assert [loss.thread_id for loss in heard.take()] == [7]
    assert heard.take() == ()
