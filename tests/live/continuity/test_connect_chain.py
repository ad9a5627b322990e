"""The user's own way of connecting, and pools: creators, listeners, pings, recycling; each goes on working."""

from __future__ import annotations

import time

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy")
from sqlalchemy import create_engine, event, text  # noqa: E402 - after the line that skips without it
from sqlalchemy.pool import NullPool, StaticPool  # noqa: E402 - as above


def lose_in_use(room, engine):
    """Lose a connection while the application has it in hand, in a transaction; what goes on must be the same."""
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
        room.lose_idle()
        assert connection.scalar(text("SELECT COUNT(*) FROM t")) == 1
        connection.rollback()


def lose_in_pool(room, engine):
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    room.lose_idle()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM t")) == 0


# Counted below is what the application's own connections take; the thread that inquires takes the same way.
QUIET = "&stillhere.incidents=off"
WAYS = {"in use": lose_in_use, "in the pool": lose_in_pool}


@pytest.fixture(params=WAYS)
def lose(request):
    """Both moments at which an engine's connection can be lost between statements."""
    return WAYS[request.param]


def test_a_creator_is_called_again(room, table, lose):
    calls = []

    def creator():
        calls.append(1)
        return room.dbapi.connect(**room.arguments())

    engine = create_engine(room.url(QUIET), creator=creator)
    lose(room, engine)
    assert len(calls) == 2
    engine.dispose()


def test_a_creator_that_takes_the_record_is_given_it(room, table):
    seen = []

    def creator(record):
        seen.append(record)
        return room.dbapi.connect(**room.arguments())

    engine = create_engine(room.url(QUIET), creator=creator)
    lose_in_use(room, engine)
    assert len(seen) == 2
    assert seen[0] is not None
    engine.dispose()


def test_a_listener_mints_a_token_for_every_physical_connection(room, table, lose):
    """As for IAM authentication: the password of the URL is wrong, each connect gets a fresh one."""
    engine = create_engine(room.url(QUIET, password="stale"))
    minted = []

    @event.listens_for(engine, "do_connect")
    def mint(_dialect, _record, _args, parameters):
        minted.append(parameters.get("password") or parameters.get("passwd"))
        parameters["password"] = "stillhere"
        parameters.pop("passwd", None)

    lose(room, engine)
    assert minted == ["stale", "stale"]
    engine.dispose()


def test_a_listener_that_connects_itself_is_protected(room, table, lose):
    engine = create_engine(room.url(QUIET, password="stale"))

    @event.listens_for(engine, "do_connect")
    def connect(_dialect, _record, _args, _parameters):
        return room.dbapi.connect(**room.arguments())

    lose(room, engine)
    engine.dispose()


def test_connect_listeners_run_again_on_a_connection_lost_in_the_pool(room, table):
    engine = room.engine()
    runs = []

    @event.listens_for(engine, "connect")
    def prepare(connection, _record):
        runs.append(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET @tenant = 7, SESSION group_concat_max_len = 4321")

    lose_in_pool(room, engine)
    assert len(runs) == 2
    with engine.connect() as connection:
        assert connection.execute(text("SELECT @tenant, @@group_concat_max_len")).one() == (7, 4321)


def test_what_connect_listeners_ran_is_run_again_on_an_in_place_swap(room, table):
    engine = room.engine()
    runs = []

    @event.listens_for(engine, "connect")
    def prepare(connection, _record):
        runs.append(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET @tenant = (SELECT 7)")  # an expression: as such it would be a pin
            cursor.execute("SET SESSION group_concat_max_len = 4321")

    with engine.connect() as connection:
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
        room.lose_idle()
        assert connection.execute(text("SELECT @tenant, @@group_concat_max_len, COUNT(*) FROM t")).one() == (7, 4321, 1)
    assert len(runs) == 1


def test_the_init_command_is_run_again(room, table):
    engine = room.engine(connect_args={"init_command": "SET SESSION group_concat_max_len = 4321"})
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        room.lose_idle()
        assert connection.scalar(text("SELECT @@group_concat_max_len")) == 4321


@pytest.mark.parametrize(
    "options",
    [{"pool_pre_ping": True}, {"pool_recycle": 1}, {"poolclass": NullPool}, {"poolclass": StaticPool},
     {"isolation_level": "READ COMMITTED"}, {"pool_reset_on_return": None}, {"pool_use_lifo": True}],
    ids=lambda options: next(iter(options)) + "-" + str(getattr(*options.values(), "__name__", "") or ""),
)  # fmt: skip
def test_the_users_own_settings_go_on_working(room, table, options, lose):
    engine = room.engine(**options)
    lose(room, engine)
    lose(room, engine)
    if "isolation_level" in options:
        with engine.connect() as connection:
            assert connection.get_isolation_level() == "READ COMMITTED"
            room.lose_idle()
            assert connection.get_isolation_level() == "READ COMMITTED"


def test_pool_recycle_replaces_what_is_older(room, table):
    engine = room.engine(pool_recycle=1)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT CONNECTION_ID()"))
    time.sleep(1.2)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT CONNECTION_ID()")) != first


def test_a_disposed_engine_connects_anew_and_is_still_protected(room, table, lose):
    engine = room.engine()
    lose(room, engine)
    engine.dispose()
    lose(room, engine)


def test_an_isolation_level_for_one_connection_does_not_reach_the_next(room, table):
    engine = room.engine(pool_size=1)
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        room.lose_idle()
        assert connection.get_isolation_level() == "SERIALIZABLE"
    with engine.connect() as connection:
        assert connection.get_isolation_level() == "REPEATABLE READ"


def test_invalidating_a_connection_is_the_applications_right(room, table):
    engine = room.engine()
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT CONNECTION_ID()"))
        connection.invalidate()
        connection.rollback()
        assert connection.scalar(text("SELECT CONNECTION_ID()")) != first
