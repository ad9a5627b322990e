"""A server that is away for a while: who waits, who probes, and what is said when it takes too long."""

from __future__ import annotations

import threading
import time

import pytest

import stillhere
from stillhere import Policy
from stillhere.continuity.gate import gate_for

WAITING = 50


def outage(room, seconds):
    room.wire.refuse()

    def end():
        time.sleep(seconds)
        room.wire.refuse(refused=False)

    return room.meanwhile(end)


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_connection_lost_with_its_server_waits_and_goes_on_in_place(room, rows, run, autocommit):
    connection = room.connect(autocommit=autocommit)
    run(connection, "UPDATE t SET v = 11 WHERE id = 1")
    back = outage(room, 0.6)
    assert run(connection, "SELECT v FROM t WHERE id = 1") == ((11,),)
    back.join()
    connection.commit()
    assert room.ask("SELECT v FROM t WHERE id = 1") == [(11,)]


def test_a_new_connection_waits_for_its_server(room, run):
    back = outage(room, 0.5)
    assert run(room.connect(), "SELECT 1") == ((1,),)
    back.join()


def test_a_server_that_stays_away_is_unavailable_with_measured_numbers(room, rows, run):
    connection = room.connect(Policy(ride_through=0.5), autocommit=True)
    run(connection, "SELECT 1")
    room.wire.refuse()
    started = time.monotonic()
    with pytest.raises(stillhere.ServerUnavailable, match=r"within 0\.[5-9] s; the last attempt ended in 20") as caught:
        run(connection, "SELECT v FROM t")
    assert 0.4 < time.monotonic() - started < 3
    assert f"{room.wire.host}:{room.wire.port}" in str(caught.value)
    assert "ride_through is 0.5 s" in str(caught.value)
    assert caught.value.retry_after > 0
    room.wire.refuse(refused=False)
    assert len(run(connection, "SELECT v FROM t")) == 3


def test_a_transaction_whose_server_stays_away_is_lost_until_rollback(room, rows, run):
    connection = room.connect(Policy(ride_through=0.3))
    run(connection, "UPDATE t SET v = 0")
    room.wire.refuse()
    with pytest.raises(stillhere.ServerUnavailable):
        run(connection, "SELECT v FROM t")
    with pytest.raises(stillhere.TransactionLost):
        connection.commit()
    connection.rollback()
    room.wire.refuse(refused=False)
    assert run(connection, "SELECT SUM(v) FROM t") == ((60,),)


def test_more_than_max_waiting_are_refused_at_once(room):
    """One probes, which may or may not count as waiting at the moment that another comes."""
    policy = Policy(ride_through=30, max_waiting=2)
    room.wire.refuse()
    refused, served = [], []

    def connect():
        try:
            served.append(room.connect(policy))
        except stillhere.ServerUnavailable as error:
            refused.append(str(error))

    callers = [room.meanwhile(connect)]
    gate = gate_for(f"{room.wire.host}:{room.wire.port}")
    room.wait_until(lambda: gate.stats().failures)  # those that come before the first failure are not yet waiting
    callers += [room.meanwhile(connect) for _ in range(7)]
    room.wait_until(lambda: len(refused) >= 5)
    assert not served
    room.wire.refuse(refused=False)
    for one in callers:
        one.join()
    assert len(served) in {2, 3}
    assert all("2 calls wait for it (max_waiting)" in words for words in refused)


def test_a_restart_with_fifty_threads_at_work_errors_for_nobody(room, rows):
    """Each thread in a transaction of its own; all are served, and every row is there once."""
    from sqlalchemy import text  # noqa: PLC0415 - the others do without

    engine = room.engine(Policy(ride_through=40), pool_size=WAITING, max_overflow=0)
    stop, lock, done, unknown = threading.Event(), threading.Lock(), [], []

    def work(number):
        step = 0
        while not stop.is_set() or not step:
            value = 1000 * (number + 1) + step
            step += 1
            try:
                with engine.begin() as connection:
                    connection.execute(text("INSERT INTO t (v) VALUES (:v)"), {"v": value})
                    time.sleep(0.05)
            except stillhere.CommitOutcomeUnknown:
                with lock:
                    unknown.append(value)
            except Exception as error:
                if not isinstance(getattr(error, "orig", None), stillhere.CommitOutcomeUnknown):
                    raise
                with lock:
                    unknown.append(value)
            else:
                with lock:
                    done.append(value)

    threads = [room.meanwhile(lambda n=n: work(n)) for n in range(WAITING)]
    room.wait_until(lambda: len(done) >= WAITING, seconds=60)
    room.server.restart()
    stop.set()
    for thread in threads:
        thread.join()
    stored = sorted(v for (v,) in room.ask("SELECT v FROM t WHERE v >= 1000"))
    assert len(stored) == len(set(stored))
    assert set(done) <= set(stored) <= set(done) | set(unknown)


def test_access_denied_is_raised_at_once(room):
    started = time.monotonic()
    with pytest.raises(room.dbapi.OperationalError, match="1045"):
        room.connect(password="wrong")
    assert time.monotonic() - started < 3


def test_arguments_that_the_driver_refuses_are_raised_as_it_raises_them(room):
    with pytest.raises(TypeError):
        room.connect(user=object())
    with pytest.raises(TypeError):
        room.connect(no_such_argument=1)


def test_an_unknown_database_is_raised_at_once(room):
    started = time.monotonic()
    with pytest.raises(room.dbapi.Error, match="1049"):
        room.connect(database="nowhere")
    assert time.monotonic() - started < 3


def test_a_server_that_is_full_is_waited_for(room, run):
    before = room.server.set_global({"max_connections": 10})
    fillers = []
    try:
        for _ in range(12):
            try:
                fillers.append(room.dbapi.connect(**room.arguments()))
            except room.dbapi.Error:
                break

        def make_place():
            time.sleep(0.4)
            for one in fillers:
                one.close()

        freeing = room.meanwhile(make_place)
        assert run(room.connect(), "SELECT 1") == ((1,),)
        freeing.join()
    finally:
        for one in fillers:
            if one.open:
                one.close()
        room.server.set_global(before)
