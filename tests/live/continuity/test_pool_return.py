"""Losses at the return to the pool: the slot always comes back."""

from __future__ import annotations

import pytest

from stillhere import Policy

sqlalchemy = pytest.importorskip("sqlalchemy")
from sqlalchemy import exc, text  # noqa: E402 - after the line that skips without it


@pytest.fixture
def engine(room):
    """Room for two connections, and little patience for a third."""
    return room.engine(Policy(ride_through=1), pool_size=1, max_overflow=1, pool_timeout=2)


@pytest.mark.parametrize("server_is", ["up", "down"])
@pytest.mark.parametrize("level", ["AUTOCOMMIT", "READ COMMITTED", None])
def test_every_slot_comes_back_though_its_connection_was_lost_before_its_return(room, table, engine, level, server_is):
    """With stock SQLAlchemy each of these losses takes a slot with it for good."""
    for _ in range(4):
        connection = engine.connect()
        if level:
            connection = connection.execution_options(isolation_level=level)
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
        if server_is == "down":
            room.wire.refuse()
        else:
            room.wire.reset_all()
        connection.close()
        if server_is == "down":
            room.wire.refuse(refused=False)
    with engine.connect() as one, engine.connect() as other:
        assert one.scalar(text("SELECT 1")) == other.scalar(text("SELECT 2")) - 1 == 1
        assert one.get_isolation_level() == "REPEATABLE READ"
    assert engine.pool.checkedout() == 0
    assert room.count() == (4 if level == "AUTOCOMMIT" else 0)


def test_a_slot_comes_back_after_an_error_that_was_not_continued(room, table, engine):
    for _ in range(4):
        room.cut("COMMIT")
        with pytest.raises(exc.OperationalError), engine.begin() as connection:
            connection.execute(text("INSERT INTO t (v) VALUES (1)"))
    assert engine.pool.checkedout() == 0
    assert room.count() == 4


def test_an_open_transaction_lost_at_return_is_gone(room, table, engine):
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO t (v) VALUES (1)"))
        room.wire.reset_all()
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t (v) VALUES (2)"))
    assert room.ask("SELECT v FROM t") == [(2,)]


def test_what_one_user_set_does_not_reach_the_next_over_a_loss(room, table):
    engine = room.engine(pool_size=1)
    with engine.connect() as connection:
        connection.execute(text("SELECT GET_LOCK('a', 0)"))
        room.lose_idle()
    with engine.connect() as connection:  # the pin went with the one who took it
        assert connection.scalar(text("SELECT 1")) == 1
