"""Health: what probes are told, however many ask and however long the database takes."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time

import pytest
from sqlalchemy import create_engine, pool

from stillhere.errors import ConfigurationError, ServerUnavailable
from stillhere.integrations.asgi import HealthProbes as AsgiProbes
from stillhere.integrations.flask import Stillhere
from stillhere.integrations.wsgi import HealthProbes as WsgiProbes
from stillhere.observe.health import Health, Status
from stillhere.observe.pools import PoolWatch

flask = pytest.importorskip("flask")


@pytest.fixture
def engine():
    made = create_engine(
        "sqlite://", poolclass=pool.QueuePool, pool_size=1, max_overflow=1, connect_args={"check_same_thread": False}
    )
    yield made
    made.dispose()


class Looks:
    """A look at the database that answers when it is told to."""

    def __init__(self, error=None):
        self.count = 0
        self.error = error
        self.free = threading.Event()
        self.free.set()

    def __call__(self):
        self.count += 1
        assert self.free.wait(30)
        if self.error is not None:
            raise self.error


def test_a_database_that_answers_is_ready(engine):
    answer = Health(engine).ready()
    assert answer.status is Status.READY
    assert answer.good
    assert answer.reasons == ()


def test_liveness_never_looks_at_the_database(engine):
    looks = Looks(OSError("down"))
    health = Health(engine, look=looks)
    assert health.live().good
    assert looks.count == 0


def test_a_result_serves_all_probes_until_it_is_too_old(engine):
    looks = Looks()
    health = Health(engine, look=looks, cache_for=30)
    assert [health.ready().good for _ in range(5)] == [True] * 5
    assert looks.count == 1
    health._last = health._last.__class__(time.monotonic() - 31, 0.0, "")
    health.ready()
    assert looks.count == 2


def test_probes_do_not_pile_up_behind_one_that_hangs(engine):
    looks = Looks()
    looks.free.clear()
    health = Health(engine, look=looks, timeout=0.05)
    answers = []
    probes = [threading.Thread(target=lambda: answers.append(health.ready())) for _ in range(8)]
    for probe in probes:
        probe.start()
    for probe in probes:
        probe.join()
    looks.free.set()
    assert looks.count == 1
    assert [answer.status for answer in answers] == [Status.UNAVAILABLE] * 8
    assert all("has not answered" in answer.reasons[0] for answer in answers)


def test_after_half_a_minute_another_look_is_tried_and_never_more_than_three(engine):
    looks = Looks()
    looks.free.clear()
    health = Health(engine, look=looks, timeout=0.01)
    for _ in range(6):
        health.ready()
        health._began -= 31
    assert looks.count == 3
    looks.free.set()
    while health._abandoned or health._under_way is not None:
        time.sleep(0.01)
    assert health.ready().good


def test_a_failed_look_is_told_without_the_drivers_text(engine):
    class OperationalError(Exception):
        pass

    answer = Health(engine, look=Looks(OperationalError(1045, "Access denied for user 'app'@'10.0.0.9'"))).ready()
    assert not answer.good
    assert answer.reasons == ("asking the database ended in OperationalError 1045",)


def test_our_own_words_are_told(engine):
    error = ServerUnavailable("db:3306 could not be reached within 10.0 s")
    answer = Health(engine, look=Looks(error)).ready()
    assert answer.reasons == ("ServerUnavailable: db:3306 could not be reached within 10.0 s",)


def test_a_full_pool_whose_connections_come_back_is_busy_and_one_whose_dont_is_not(engine):
    health = Health(engine, timeout=0.05, cache_for=0)
    with engine.connect():
        pass
    with engine.connect(), engine.connect():
        busy = health.ready()
        health._pool._returned -= 11
        stuck = health.ready()
    assert busy.status is Status.BUSY
    assert busy.good
    assert "all 2 connections of the pool are in use; the last one came back 0." in busy.reasons[1]
    assert stuck.status is Status.UNAVAILABLE
    assert "came back 11." in stuck.reasons[1]


def test_a_full_pool_of_which_nothing_ever_came_back_is_not_ready(engine):
    health = Health(engine, timeout=0.05)
    with engine.connect(), engine.connect():
        answer = health.ready()
    assert answer.status is Status.UNAVAILABLE
    assert "none has come back yet" in answer.reasons[1]


def test_the_pool_that_replaces_a_disposed_one_is_watched(engine):
    watch = PoolWatch(engine)
    engine.dispose()
    with engine.connect():
        assert watch.occupancy().in_use == 1
    assert watch.occupancy().idle_for < 5


@pytest.mark.parametrize("poolclass", [pool.NullPool, pool.StaticPool])
def test_a_pool_without_a_limit_is_never_full(poolclass):
    made = create_engine("sqlite://", poolclass=poolclass)
    with made.connect():
        occupancy = PoolWatch(made).occupancy()
    made.dispose()
    assert not occupancy.full


def test_once_ready_start_up_is_over_whatever_comes_later(engine):
    looks = Looks(OSError("not yet"))
    health = Health(engine, look=looks, cache_for=0)
    assert not health.startup().good
    looks.error = None
    assert health.startup().status is Status.READY
    looks.error = OSError("down again")
    assert health.startup().status is Status.ALIVE
    assert not health.ready().good


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_makes_its_own_look(engine):
    looks = Looks()
    looks.free.clear()
    health = Health(engine, look=looks, timeout=0.05)
    health.ready()  # its thread, and its result, will not exist in the child
    child = os.fork()
    if child == 0:
        looks.free = threading.Event()
        looks.free.set()
        os._exit(0 if health.ready().good else 1)
    looks.free.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_event_loop_turns_while_a_probe_waits(engine):
    looks = Looks()
    looks.free.clear()
    health = Health(engine, look=looks, timeout=5)

    async def both():
        probe = asyncio.create_task(health.ready_async())
        await asyncio.sleep(0)  # comes back only while the loop turns
        other = asyncio.create_task(health.ready_async())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        probe.cancel()
        looks.free.set()
        return await other

    answer = asyncio.run(both())
    assert answer.status is Status.READY
    assert looks.count == 1


def test_a_hanging_look_ends_a_probe_on_the_event_loop_in_time(engine):
    looks = Looks()
    looks.free.clear()
    health = Health(engine, look=looks, timeout=0.05)
    answer = asyncio.run(health.ready_async())
    looks.free.set()
    assert not answer.good


def over_wsgi(application, path, method="GET"):
    seen = {}

    def start_response(status, headers, _error=None):
        seen.update(status=status, headers=dict(headers))

    text = b"".join(application({"REQUEST_METHOD": method, "PATH_INFO": path}, start_response))
    return seen.get("status"), seen.get("headers"), text


def own(_environ, start_response):
    start_response("200 OK", [])
    return [b"the application"]


def test_wsgi_answers_probes_and_passes_the_rest_on(engine):
    application = WsgiProbes(own, Health(engine, look=Looks(OSError("down"))), prefix="/internal/")
    status, headers, text = over_wsgi(application, "/internal/readyz")
    assert status == "503 Service Unavailable"
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(text)["reasons"] == ["asking the database ended in OSError"]
    assert over_wsgi(application, "/internal/livez")[0] == "200 OK"
    assert over_wsgi(application, "/internal/startupz")[0] == "503 Service Unavailable"
    assert over_wsgi(application, "/internal/livez", "HEAD")[2] == b""
    for path, method in (("/readyz", "GET"), ("/internal/readyz", "POST"), ("/internal/readyz/", "GET")):
        assert over_wsgi(application, path, method)[2] == b"the application"


def test_asgi_answers_probes_and_passes_the_rest_on(engine):
    async def application(scope, _receive, send):
        await send({"type": "own", "path": scope.get("path")})

    wrapped = AsgiProbes(application, Health(engine, look=Looks(OSError("down"))))

    def ask(scope):
        sent = []

        async def send(message):
            sent.append(message)

        asyncio.run(wrapped(scope, None, send))
        return sent

    start, end = ask({"type": "http", "method": "GET", "path": "/readyz"})
    assert start["status"] == 503
    assert (b"content-type", b"application/json") in start["headers"]
    assert json.loads(end["body"])["status"] == "unavailable"
    assert ask({"type": "http", "method": "GET", "path": "/livez"})[0]["status"] == 200
    assert ask({"type": "http", "method": "GET", "path": "/startupz"})[0]["status"] == 503
    assert ask({"type": "http", "method": "GET", "path": "/orders"})[0]["type"] == "own"
    assert ask({"type": "lifespan"})[0]["type"] == "own"


def test_flask_answers_probes_before_its_own_log_in(engine):
    app = flask.Flask("probed")
    Stillhere(app, engine=engine, health=True)

    @app.before_request
    def log_in():
        flask.abort(401)

    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    assert client.get("/livez").get_json()["status"] == "alive"
    assert client.get("/").status_code == 401


def test_flask_health_without_an_engine_is_refused():
    with pytest.raises(ConfigurationError, match="health=True needs engine="):
        Stillhere(health=True)
