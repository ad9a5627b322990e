"""What stillhere sends beyond what the application sends: nothing, counted by the wire."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from stillhere.continuity.witness_table import creation
from stillhere.lab.wire import Wire

REQUESTS = 5


@pytest.fixture(params=["mysqlclient", "pymysql"])
def count(request, server, database):
    """Counts the round trips of one request on a warm engine, with options in its URL or as arguments."""
    server.execute(f"CREATE TABLE {database}.t (a INT PRIMARY KEY, b INT)")
    server.execute(f"INSERT INTO {database}.t VALUES (1, 0)")
    for statement in creation(database):
        server.execute(statement)
    engines = []

    with Wire(server.host, server.port, plain=True) as wire:

        def counted(act, url_options=None, **options):
            url = make_url(server.url(database=database, driver=request.param, port=wire.port))
            engine = create_engine(url.update_query_dict(url_options or {}), **options)
            engines.append(engine)
            act(engine)
            wire.reset_counters()
            for _ in range(REQUESTS):
                act(engine)
            assert wire.round_trips % REQUESTS == 0
            return wire.round_trips // REQUESTS

        yield counted
        for engine in engines:
            engine.dispose()


ON = {"plugin": "stillhere"}


def read(engine):
    with engine.connect() as connection:
        assert connection.execute(text("SELECT a FROM t WHERE a = :a"), {"a": 1}).all() == [(1,)]


def write(engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE t SET b = b + :by WHERE a = 1"), {"by": 1})


def nothing(engine):
    engine.connect().close()


def test_a_read_costs_what_it_costs_the_bare_engine_and_one_less_than_with_pre_ping(count):
    assert count(read) == count(read, ON) == count(read, pool_pre_ping=True) - 1 == 2


def test_after_a_commit_no_rollback_is_sent(count):
    assert count(write) == 3
    assert count(write, ON) == 2


def test_the_witness_costs_a_write_one_round_trip_and_a_read_none(count):
    witness = {**ON, "stillhere.witness": "on"}
    assert count(write, witness) == count(write, ON) + 1
    assert count(read, witness) == count(read, ON)


def test_a_connection_on_which_nothing_was_executed_comes_back_without_a_word(count):
    assert count(nothing) == 1
    assert count(nothing, ON) == 0
