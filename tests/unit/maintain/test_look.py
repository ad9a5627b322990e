"""How the server's last life ended, as a log tells it."""

from __future__ import annotations

import pytest

from stillhere.errorlog.summary import Ending, Life, Summary
from stillhere.maintain.look import crash_logged


def lives(*endings):
    return Summary(lives=tuple(Life(ending=one, start_line=10 * at) for at, one in enumerate(endings, 1)))


@pytest.mark.parametrize("ending", [Ending.CRASH, Ending.KILLED, Ending.OOM, Ending.HANG, Ending.UNFINISHED_SHUTDOWN])
def test_a_life_after_one_that_did_not_end_in_order_began_unclean(ending):
    found = crash_logged(lives(Ending.CLEAN, ending, Ending.RUNNING), "error.log")
    assert found.source == f"error.log, line 30: {ending.value} before"


@pytest.mark.parametrize(
    "endings",
    [(), (Ending.RUNNING,), (Ending.CLEAN, Ending.RUNNING), (Ending.CRASH, Ending.CLEAN, Ending.RUNNING)],
)
def test_after_an_orderly_end_or_with_nothing_before_it_did_not(endings):
    assert crash_logged(lives(*endings), "error.log") is None
