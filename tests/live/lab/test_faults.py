"""Every fault loses connections of a plain application, heals what it broke, and leaves no setting behind."""

from __future__ import annotations

import contextlib
import threading
import time

import MySQLdb
import pymysql
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from stillhere.errors import UnknownName
from stillhere.lab.faults import FAULTS, cutting
from stillhere.lab.faults.base import Scene, Symptom, Traffic
from stillhere.lab.faults.isolation_return import LAST_STATEMENT_MARK
from stillhere.lab.wire import Wire

WORKERS = 3
LOST = {1040, 1053, 1153, 2003, 2006, 2013}
VARIABLES = ("wait_timeout", "interactive_timeout", "max_allowed_packet", "max_connections")


class Load:
    """A plain application: a few threads that work without any protection, and count what they lose."""

    def __init__(self, place, database, fault):
        self.lost = []
        self.done = 0
        self._halt = threading.Event()
        self._place = {"host": place.host, "port": place.port, "database": database}
        self._fault = fault
        self._threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._halt.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, seconds=5.0):
        done, end = self.done, time.monotonic() + seconds
        while self.done == done:
            assert time.monotonic() < end, f"it doesn't work again: {self.lost[-3:]}"
            time.sleep(0.01)

    def _work(self):
        while not self._halt.is_set():
            try:
                one = pymysql.connect(**self._place, user="stillhere", password="stillhere", read_timeout=10)
            except pymysql.Error as error:
                self.lost.append(error.args[0])
                self._halt.wait(0.02)
                continue
            try:
                while not self._halt.is_set():
                    self._request(one)
                    self.done += 1
            except pymysql.Error as error:
                self.lost.append(error.args[0])
                self.done += self._fault.traffic is Traffic.LARGE  # else it would send the large one for ever
            finally:
                one._force_close()

    def _request(self, one):
        with one.cursor() as cursor:
            cursor.execute("INSERT INTO t (b) VALUES (%s)", ("x",))
            if self._fault.traffic is Traffic.SLOW_CALL:
                self._halt.wait(self._fault.silence)
            if self._fault.traffic is Traffic.LARGE and self.done % 5 == 4:
                cursor.execute("SELECT LENGTH(%s)", ("x" * 2_000_000,))
            one.commit()
            cursor.execute(f"SELECT 1 {LAST_STATEMENT_MARK}")
        self._halt.wait(self._fault.silence if self._fault.traffic is Traffic.BURSTS else 0.005)


@contextlib.contextmanager
def settings(server, variables):
    before = server.set_global(variables)
    try:
        yield
    finally:
        server.set_global(before)


def globals_of(server):
    return server.execute("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in VARIABLES))


@pytest.mark.parametrize("name", FAULTS.names())
def test_a_fault_is_felt_and_over_when_it_returns(server, database, table, name, monkeypatch):
    fault = FAULTS.get(name)
    if name.startswith("black_hole"):
        monkeypatch.setattr(type(fault), "seconds", 1.0)
    before = globals_of(server)
    with (
        settings(server, fault.variables),
        Wire(server.host, server.port, plain=True) as first,
        Wire(server.host, server.port, plain=True) as second,
        Load(first, database, fault) as one,
        Load(second, database, fault) as other,
    ):
        if fault.silence:
            time.sleep(0.3)
        else:
            for load in (one, other):
                load.wait_for_more()  # on a busy machine, a fixed time can pass before they have connected
        start = time.monotonic()
        fault.strike(Scene(server, (first, second)))
        took = time.monotonic() - start
        if not fault.silence:
            for load in (one, other):
                load.wait_for_more()
    for load in (one, other):
        assert bool(load.lost) == (fault.shows is Symptom.ERRORS), load.lost
        assert set(load.lost) - LOST <= {1317}, load.lost
    assert 0.9 < took < 15
    assert globals_of(server) == before


@pytest.mark.mariadb
@pytest.mark.parametrize("name", FAULTS.names())
def test_a_fault_that_is_called_off_heals_and_returns(mariadb, name):
    before = globals_of(mariadb)
    with Wire(mariadb.host, mariadb.port) as wire:
        scene = Scene(mariadb, (wire,))
        scene.halt.set()
        start = time.monotonic()
        FAULTS.get(name).strike(scene)
        assert time.monotonic() - start < 3
        assert wire.delay == 0
        one = pymysql.connect(host=wire.host, port=wire.port, user="stillhere", password="stillhere")
        with one.cursor() as cursor:
            cursor.execute("COMMIT")
            cursor.execute(f"SELECT 1 {LAST_STATEMENT_MARK}")
        one.close()
    assert globals_of(mariadb) == before


@pytest.mark.parametrize("driver", ["pymysql", "mysqlclient"])
def test_a_loss_at_return_costs_a_stock_pool_its_slots(server, driver, monkeypatch):
    monkeypatch.setattr(cutting, "SECONDS", 0.5)
    halt, exhausted = threading.Event(), []
    with Wire(server.host, server.port, plain=True) as wire:
        engine = create_engine(server.url(driver=driver, port=wire.port), pool_size=1, max_overflow=1, pool_timeout=0.1)

        def work():
            while not halt.is_set():
                try:
                    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as one:
                        one.execute(text(f"SELECT 1 {LAST_STATEMENT_MARK}")).all()
                except PoolExhausted as error:
                    exhausted.append(error)
                except (DBAPIError, pymysql.Error, MySQLdb.Error):  # the driver's own escapes from the return
                    continue

        thread = threading.Thread(target=work)
        thread.start()
        FAULTS.get("isolation_return").strike(Scene(server, (wire,)))
        halt.set()
        thread.join()
        engine.dispose()
    assert exhausted


def test_a_full_server_has_no_room_for_the_labs_own_account_either(server):
    seen = []

    class Knocking(Scene):
        def pause(self, _seconds):
            for _ in range(3):
                with pytest.raises(pymysql.OperationalError) as caught:
                    pymysql.connect(host=server.host, port=server.port, user="stillhere", password="stillhere")
                seen.append(caught.value.args[0])
            return False

    FAULTS.get("connections_full").strike(Knocking(server, ()))
    assert seen == [1040] * 3


def test_every_fault_says_what_it_is():
    for fault in FAULTS:
        assert 1 <= len(fault.title.split()) <= 5
        assert fault.summary.endswith(".")
        assert fault.summary[0].isupper()
        assert (fault.silence > 0) == (fault.traffic in {Traffic.BURSTS, Traffic.SLOW_CALL})


def test_an_unknown_fault_is_refused_with_the_list():
    with pytest.raises(UnknownName, match=r"unknown fault 'earthquake'; there are: .*black_hole_to_client, .*reset"):
        FAULTS.get("earthquake")
