"""The fence on real servers: it ends a ghost, and knows when its locks are gone."""

from __future__ import annotations

import time

import pytest

from stillhere.continuity.facts import learn
from stillhere.continuity.fence import Ghost, fence
from stillhere.drivers import driver_of


@pytest.fixture
def connect(server):
    pymysql = pytest.importorskip("pymysql")
    server.execute("CREATE DATABASE IF NOT EXISTS fenced")
    server.execute("CREATE TABLE IF NOT EXISTS fenced.t (id INT PRIMARY KEY)")
    opened = []

    def connect():
        opened.append(
            pymysql.connect(
                host=server.host, port=server.port, user="stillhere", password="stillhere", database="fenced"
            )
        )
        return opened[-1]

    yield connect
    for connection in opened:
        if connection.open:
            connection._force_close()


def test_a_ghosts_locks_are_soon_known_to_be_released(connect):
    ghost, living = connect(), connect()
    driver = driver_of(pytest.importorskip("pymysql"))
    lost, now = learn(driver, ghost), learn(driver, living)
    ghost.cursor().execute("INSERT INTO t VALUES (1)")
    kills = []
    began = time.monotonic()
    released = fence(driver, living, now, Ghost(lost), deadline=began + 10, on_kill=lambda: kills.append(1))
    assert (released, kills) == (True, [1])
    assert time.monotonic() - began < 5
    living.cursor().execute("INSERT INTO t VALUES (1)")
    living.rollback()
