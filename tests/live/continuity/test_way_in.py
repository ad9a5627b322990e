"""The plugin for SQLAlchemy: switched on by the URL, options, errors at its door, and bare connections."""

from __future__ import annotations

import time

import pytest

import stillhere
from stillhere import Policy

sqlalchemy = pytest.importorskip("sqlalchemy")
from sqlalchemy import create_engine, exc, text  # noqa: E402 - after the line that skips without it


def link_of(connection):
    return connection.connection.dbapi_connection._stillhere


def test_the_url_alone_protects_an_engine(room, rows):
    engine = room.engine()
    with engine.connect() as connection:
        assert isinstance(connection.connection.dbapi_connection, room.dbapi.connections.Connection)
        room.lose_idle()
        assert connection.scalar(text("SELECT v FROM t WHERE id = 1")) == 10
    assert "plugin" not in str(engine.url)


def test_plugins_as_an_argument_protect_an_engine(room, rows):
    url = room.server.url(database=room.database, driver=room.driver, port=room.wire.port)
    engine = create_engine(url, plugins=["stillhere"], stillhere=Policy(ride_through=3))
    with engine.connect() as connection:
        assert link_of(connection).endpoint.policy.ride_through == 3
        room.lose_idle()
        assert connection.scalar(text("SELECT v FROM t WHERE id = 1")) == 10
    engine.dispose()


def test_options_of_the_url_win_over_the_policy(room):
    engine = room.engine(Policy(ride_through=3, max_waiting=7), options="&stillhere.ride_through=250ms")
    with engine.connect() as connection:
        policy = link_of(connection).endpoint.policy
        assert (policy.ride_through, policy.max_waiting) == (0.25, 7)


def test_a_bare_connection_is_of_the_drivers_own_class(room, run):
    connection = stillhere.connect(room.dbapi, **room.arguments())
    assert isinstance(connection, room.dbapi.connections.Connection)
    assert isinstance(connection.cursor(), room.dbapi.cursors.Cursor)
    assert run(connection, "SELECT 1") == ((1,),)
    connection.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("&stillhere.ride_trough=1s", "unknown option.*there are: .*ride_through"),
        ("&stillhere.ride_through=soon", "'soon' is not a duration"),
        ("&stillhere.replay=maybe", "neither on nor off"),
        ("&stillhere.max_waiting=1.5", "not a whole number"),
        ("&stillhere.journal_bytes=12Q", "not a size"),
        ("&stillhere.ride_through=1s&stillhere.ride_through=2s", "2 times"),
        ("&stillhere.witness_autocommit=on", "needs stillhere.witness"),
    ],
)
def test_a_malformed_option_is_an_argument_error(room, options, words):
    with pytest.raises(exc.ArgumentError, match=words):
        room.engine(options=options)


def test_another_backend_is_an_argument_error():
    with pytest.raises(exc.ArgumentError, match="sqlite"):
        create_engine("sqlite://?plugin=stillhere")


def test_something_else_than_a_policy_is_an_argument_error(room):
    with pytest.raises(exc.ArgumentError, match="found dict"):
        room.engine({"ride_through": 1})


def test_a_server_that_is_not_there_is_an_operational_error_of_sqlalchemys_with_ours_inside(room):
    room.wire.refuse()
    engine = room.engine(Policy(ride_through=1.5))
    with pytest.raises(exc.OperationalError) as caught:
        engine.connect()
    assert isinstance(caught.value.orig, stillhere.ServerUnavailable)
    assert isinstance(caught.value.orig, room.dbapi.OperationalError)
    room.wire.refuse(refused=False)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_wrong_password_is_raised_at_once(room):
    engine = create_engine(room.url(password="wrong"))
    started = time.monotonic()
    with pytest.raises(exc.OperationalError, match="1045"):
        engine.connect()
    assert time.monotonic() - started < 3


def test_an_outcome_that_is_unknown_reaches_the_application_as_an_operational_error(room, table):
    engine = room.engine()
    room.cut("COMMIT")
    with (
        pytest.raises(exc.OperationalError) as caught,
        engine.begin() as connection,
    ):
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
    assert isinstance(caught.value.orig, stillhere.CommitOutcomeUnknown)
    assert not caught.value.connection_invalidated
    with engine.connect() as connection:  # the slot came back, and its connection is good
        assert connection.scalar(text("SELECT COUNT(*) FROM t")) == 1


def test_a_loss_does_not_throw_the_whole_pool_away(room, table):
    engine = room.engine(pool_size=2)
    other = engine.connect()
    kept = other.connection.dbapi_connection.thread_id()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        room.cut("INSERT")
        with pytest.raises(exc.OperationalError):
            connection.execute(text("INSERT INTO t (v) VALUES (1)"))
    other.close()
    with engine.connect() as one, engine.connect() as two:
        ids = {c.scalar(text("SELECT CONNECTION_ID()")) for c in (one, two)}
    assert kept in ids


def test_replay_can_be_switched_off_for_one_connection(room, table):
    engine = room.engine(pool_size=1)
    with engine.connect().execution_options(stillhere_replay=False) as connection:
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
        room.lose_idle()
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert any("switched off" in note for note in caught.value.orig.__notes__)
        connection.rollback()
    with engine.begin() as connection:  # the next user of the pool has it again
        connection.execute(text("INSERT INTO t (v) VALUES (2)"))
        room.lose_idle()
        assert connection.scalar(text("SELECT COUNT(*) FROM t")) == 1
