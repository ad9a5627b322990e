"""Probes of a real application's pool, and of real servers, while they are away, frozen and full."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from sqlalchemy import create_engine

from stillhere.observe.health import Health, Status

DRIVERS = ("mysqldb", "pymysql")
FLAVOURS = ("mariadb", "mysql")


@pytest.fixture(params=DRIVERS)
def url(server, request):
    return f"mysql+{request.param}://root@127.0.0.1:{server.port}/"


@pytest.fixture
def engine(url):
    made = create_engine(f"{url}?plugin=stillhere&stillhere.ride_through=1s", pool_size=2, max_overflow=0)
    yield made
    made.dispose()


def until(health, status):
    """Ask as an orchestrator does, until it is told that."""
    for _ in range(200):
        answer = health.ready()
        if answer.status is status:
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def test_readiness_follows_the_server_and_liveness_does_not(server, engine):
    health = Health(engine, cache_for=0.05)
    assert health.ready().status is Status.READY
    server.stop()
    away = until(health, Status.UNAVAILABLE)
    assert health.live().good
    assert away.reasons
    server.start()
    assert until(health, Status.READY).reasons == ()


def test_the_gate_says_for_how_long_the_server_is_away(server, engine):
    health = Health(engine, cache_for=0.05, timeout=0.2)
    assert health.ready().good
    server.stop()
    said = ""
    for _ in range(100):
        said = " ".join(health.ready().reasons)
        if "out of reach" in said:
            break
        time.sleep(0.02)
    server.start()
    assert "the server has been out of reach for" in said


def test_a_frozen_server_is_told_in_the_time_that_a_probe_has(server, engine):
    health = Health(engine, cache_for=0.01, timeout=0.3)
    assert health.ready().good
    time.sleep(0.02)
    server.freeze()
    try:
        answer = health.ready()
    finally:
        server.thaw()
    assert answer.status is Status.UNAVAILABLE
    assert "has not answered for 0." in answer.reasons[0]


def test_a_full_pool_is_busy_while_its_connections_come_back(engine):
    health = Health(engine, cache_for=0.01, timeout=0.2)
    assert health.ready().good
    time.sleep(0.02)
    with engine.connect(), engine.connect():
        assert health.ready().status is Status.BUSY
    until(health, Status.READY)


def probed(url, *args):
    return subprocess.run(
        [sys.executable, "-m", "stillhere.cli.main", "probe", url, *args], capture_output=True, text=True, check=False
    )


def aborts(server):
    return dict(server.execute("SHOW GLOBAL STATUS LIKE 'Aborted%'"))


@pytest.mark.parametrize("flavour", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in FLAVOURS])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_probe_raises_no_counter_that_others_read(start, flavour, driver):
    with start(flavour) as server:  # of its own: what other tests cut is counted late
        url = f"mysql+{driver}://root@127.0.0.1:{server.port}/"
        assert probed(url).returncode == 0
        before = aborts(server)
        for _ in range(3):
            assert probed(url).returncode == 0
        assert aborts(server) == before


def test_a_frozen_server_is_not_ready_in_time(server, url):
    server.freeze()
    try:
        started = time.monotonic()
        done = probed(url, "--timeout", "300ms")
        took = time.monotonic() - started
    finally:
        server.thaw()
    assert done.returncode == 1
    assert "no answer within 0.3 s" in done.stderr
    assert took < 5  # the drivers alone wait for whole seconds, mysqlclient through several attempts


def test_a_wrong_password_is_not_ready_and_not_shown(server, url):
    done = probed(url.replace("root@", "root:hunter22@"), "--ready")
    assert done.returncode == 1
    assert "(1045)" in done.stderr
    assert "hunter22" not in done.stderr + done.stdout


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_worker_forked_after_the_first_probe_answers_for_itself(engine):
    health = Health(engine)
    assert health.ready().good
    child = os.fork()
    if child == 0:
        os._exit(0 if health.ready().good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
