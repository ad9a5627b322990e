"""How long idle connections last on real servers, and how they end: by the server's word, by a reset, in silence."""

from __future__ import annotations

import pytest

from stillhere.doctor.idling import End
from stillhere.doctor.measuring import measure_idle
from stillhere.lab.wire import Wire
from stillhere.server.versions import Flavour
from stillhere.survey.login import target


def url(port, driver):
    return target(f"mysql+{driver}://root@127.0.0.1:{port}/")


@pytest.fixture
def wire(patient):
    """A wire in front of the server."""
    with Wire(patient.host, patient.port, plain=True) as one:
        yield one


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_short_wait_timeout_is_measured(patient, driver):
    before = patient.set_global({"wait_timeout": 1})
    try:
        seen = measure_idle(url(patient.port, driver), 8.0)
    finally:
        patient.set_global(before)
    assert seen.ended is not None
    assert seen.ended >= 0.9
    assert seen.opened == 8
    if patient.flavour is Flavour.MYSQL:
        assert (seen.how, seen.code) == (End.FAREWELL, 4031)
    else:
        assert seen.how in (End.CLOSED, End.RESET)


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_connections_that_last_are_said_to_last(patient, driver):
    seen = measure_idle(url(patient.port, driver), 0.4)
    assert (seen.ended, seen.how) == (None, None)
    assert seen.lasted >= 0.4


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_reset_on_the_way_is_told_from_the_servers_word(wire, driver):
    seen = measure_idle(url(wire.port, driver), 60.0, opened=wire.reset_all)
    assert seen.how is End.RESET


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_way_that_falls_silent_is_found_by_using_it(wire, driver):
    seen = measure_idle(url(wire.port, driver), 2.0, timeout=1.0, opened=wire.black_hole)
    assert seen.how is End.SILENCE
    wire.heal()
