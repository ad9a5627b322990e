"""A few faults on each real server: the cause that stillhere names is the one that was brought about, never another."""

from __future__ import annotations

import pytest

from stillhere.errors import LabError
from stillhere.lab.drill.arms import ARMS
from stillhere.lab.drill.run import QUICK, Program, drill
from stillhere.lab.faults import FAULTS

FEW = ("idle_timeout", "kill_idle", "oversized_packet", "graceful_restart", "crash", "reset", "connections_full")

pytestmark = pytest.mark.slow


class Quiet:
    def said(self, server, text):
        pass

    def ended(self, found):
        pass

    def staged(self, server, url, states):
        pass


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("mariadb", "mysql")],
)
def played(request):
    """The faults on one server, by name."""
    faults = tuple(FAULTS.get(name) for name in FEW)
    try:
        rounds = drill(Program((request.param,), faults, (ARMS.get("stillhere"),), "pymysql", QUICK), Quiet())
    except LabError as error:
        if request.param == "mysql":
            pytest.skip(str(error))
        raise
    return {one.fault: one for one in rounds}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FEW)
def test_the_cause_that_was_brought_about_is_the_one_that_is_named(played, fault):
    found = played[fault]
    naming = found.results[0].naming
    assert naming.cause == FAULTS.get(fault).cause
    assert naming.wrong(found.right) == {}
