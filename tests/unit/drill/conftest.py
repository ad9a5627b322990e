"""Rounds as a drill might have found them."""

from __future__ import annotations

import pytest

from stillhere.lab.drill.check import WHOLE, audit
from stillhere.lab.drill.records import ArmResult, Round
from stillhere.lab.drill.shots import Kind, Outcome, Shot


def shot(token="", *, kind=Kind.WRITE, outcome=Outcome.GOOD, begun=1.0, ended=1.1, **facts):
    acknowledged = facts.pop("acknowledged", bool(token) and outcome is Outcome.GOOD)
    return Shot(kind, begun, ended, outcome, token=token, acknowledged=acknowledged, **facts)


def result(arm, shots=(), found=None, recovery_ms=12.5):
    if found is None:
        found = {one.token: WHOLE for one in shots if one.acknowledged}
    return ArmResult(arm, audit(shots, found), recovery_ms, tuple(shots))


def played(*results, fault="crash", server="mariadb", slow=False, title="crash", summary="It dies."):
    return Round(
        fault=fault,
        title=title,
        summary=summary,
        server=server,
        version="MariaDB 10.11.11",
        driver="mysqlclient",
        slow=slow,
        began=0.0,
        struck=1.0,
        back=2.0,
        ended=4.0,
        results=results,
    )


@pytest.fixture
def make_shot():
    return shot


@pytest.fixture
def make_result():
    return result


@pytest.fixture
def make_round():
    return played


@pytest.fixture
def failing(make_shot):
    return make_shot("e-1", outcome=Outcome.ERROR, error="OperationalError", raw=True, says="(2013, 'Lost')")
