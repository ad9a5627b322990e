"""The SQLAlchemy plugin over the fake driver: its options, and the user's own settings beside it."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.pool import NullPool, StaticPool

from stillhere import CommitOutcomeUnknown, Policy, ServerUnavailable, StatementOutcomeUnknown, drivers
from stillhere.continuity import fence, watchdog
from stillhere.continuity.connection import ContinuousConnection
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import FAKE
from stillhere.testing.fake_server import Step

_ports = itertools.count(20000)


@pytest.fixture
def engine(server, monkeypatch):
    """Makes engines whose driver is the fake, under the PyMySQL dialect."""
    monkeypatch.setitem(drivers.DRIVERS._entries, "fake", FAKE)
    monkeypatch.setattr(watchdog, "ensure_running", lambda: None)
    monkeypatch.setattr(fence, "_GRACE", 0.0)
    server.variables["transaction_isolation"] = "REPEATABLE-READ"
    made = []

    def engine(query: str = "", **options):
        options.setdefault("connect_args", {"server": server})
        options.setdefault("module", fake_driver)
        url = f"mysql+pymysql://app:secret@fake:{next(_ports)}/app?plugin=stillhere{query}"
        made.append(create_engine(url, **options))
        return made[-1]

    yield engine
    for one in made:
        one.dispose()


def policy(of) -> Policy:
    with of.connect() as connection:
        return connection.connection.dbapi_connection._stillhere.endpoint.policy


# -- options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("&stillhere.ride_trough=5s", "unknown option 'stillhere.ride_trough'"),
        ("&stillhere.ride_through=soon", "'soon' is not a duration"),
        ("&stillhere.replay=perhaps", "neither on nor off"),
        ("&stillhere.max_waiting=-1", "not a whole number"),
        ("&stillhere.replay=on&stillhere.replay=off", "given 2 times"),
        ("&stillhere.stricter=f", "unknown option"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(engine, query, said):
    with pytest.raises(exc.ArgumentError, match=said) as caught:
        engine(query)
    assert "\n" not in str(caught.value)


def test_a_url_of_another_database_is_refused():
    with pytest.raises(exc.ArgumentError, match="is for mysql and mariadb URLs; this one is for 'sqlite'"):
        create_engine("sqlite://?plugin=stillhere")


def test_a_policy_of_another_type_is_refused(engine):
    with pytest.raises(exc.ArgumentError, match=r"takes a stillhere\.Policy, found dict"):
        engine(stillhere={"replay": False})


def test_a_driver_without_support_is_refused_before_anything_connects(engine):
    class Unknown:
        __name__ = "otherdriver"
        paramstyle = "format"

    with pytest.raises(exc.ArgumentError, match="no support for the driver module 'otherdriver'"):
        engine(module=Unknown())


def test_an_asyncio_driver_is_refused():
    class Unknown:
        __name__ = "asyncmy"
        paramstyle = "format"

    with pytest.raises(exc.ArgumentError, match="asyncio driver 'asyncmy'"):
        create_engine("mysql+asyncmy://app@fake/app?plugin=stillhere", module=Unknown())


def test_options_come_from_the_url_the_keyword_or_both_and_those_of_the_url_win(engine):
    assert policy(engine("&stillhere.ride_through=7s")).ride_through == 7.0
    assert policy(engine(stillhere=Policy(ride_through=8))).ride_through == 8.0
    both = policy(engine("&stillhere.ride_through=7s", stillhere=Policy(ride_through=8, max_waiting=3)))
    assert (both.ride_through, both.max_waiting) == (7.0, 3)


def test_options_dont_reach_the_driver_nor_stay_in_the_url(engine, server):
    seen = []
    one = engine("&stillhere.ride_through=7s")
    event.listen(one, "do_connect", lambda *args: seen.append(args[-1]))
    one.connect().close()
    assert not any("stillhere" in key for key in seen[0])
    assert "stillhere" not in str(one.url)


# -- losses ------------------------------------------------------------------------------------------------------


def test_a_loss_in_the_pool_is_found_at_checkout_and_the_connect_listeners_run_again(engine, server):
    one, seen = engine(), []
    event.listen(one, "connect", lambda dbapi, _record: (seen.append(dbapi), dbapi.cursor().execute("SET a = 1")))
    with one.connect() as connection:
        connection.execute(text("SELECT 1"))
    server.cut()
    server.log.clear()
    with one.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert len(seen) == 2
    assert server.sent(b"SET a = 1") == 1


def test_a_loss_in_mid_session_runs_the_prologue_again_and_no_listener(engine, server):
    one, seen = engine(), []
    event.listen(one, "connect", lambda dbapi, _record: (seen.append(dbapi), dbapi.cursor().execute("SET a = 1")))
    with one.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.rollback()
        server.cut()
        connection.connection.dbapi_connection._stillhere.last_used -= 1
        server.log.clear()
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert len(seen) == 1
    assert server.sent(b"SET a = 1") == 1


def test_a_transaction_is_continued_through_a_session_of_statements(engine, server):
    with engine().begin() as connection:
        connection.execute(text("INSERT INTO t (x) VALUES (:x)"), {"x": 5})
        server.break_at(Step.REPLY, b"UPDATE", ghost=True)
        connection.execute(text("UPDATE t SET x = x + 1 WHERE id = 1"))
    assert server.tables["t"].rows == {1: (1, 11), 2: (2, 20), 3: (3, 5)}


def test_an_unknown_commit_is_wrapped_and_the_connection_and_pool_live_on(engine, server):
    one = engine()
    with one.connect() as bystander:
        bystander.execute(text("SELECT 1"))
        with one.connect() as connection:
            connection.execute(text("UPDATE t SET x = 5 WHERE id = 1"))
            server.break_at(Step.REPLY, b"COMMIT")
            with pytest.raises(exc.OperationalError) as caught:
                connection.commit()
            assert isinstance(caught.value.orig, CommitOutcomeUnknown)
            assert not caught.value.connection_invalidated
            connection.rollback()
            assert connection.execute(text("SELECT 1")).scalar() == 1
        assert not bystander.invalidated
        assert bystander.execute(text("SELECT 1")).scalar() == 1


def test_a_refusal_with_the_drivers_own_error_invalidates_nothing(engine, server):
    with engine().connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE tmp (id int)"))
        server.break_at(Step.SEND, b"SELECT 1", error=2006)
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.orig.args[0] == 2006
        assert not caught.value.connection_invalidated
        assert any("temporary table" in note for note in caught.value.orig.__notes__)
        connection.rollback()
        assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.mark.parametrize("away", [0, 2003])
def test_a_loss_between_the_last_statement_and_the_return_costs_no_place_in_the_pool(engine, server, away):
    one = engine("&stillhere.ride_through=60s", pool_size=1, max_overflow=0, pool_timeout=0.5)
    for _ in range(3):
        with one.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT 1"))
            server.cut()
            connection.connection.dbapi_connection._stillhere.last_used -= 1
            server.down = away  # then the return must not wait for it
        server.down = 0
    with one.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_server_that_is_away_is_named(engine, server):
    one = engine("&stillhere.ride_through=100ms")
    server.down = 2003
    with pytest.raises(exc.OperationalError) as caught:
        one.connect()
    assert isinstance(caught.value.orig, ServerUnavailable)
    server.down = 0


# -- the user's own settings ---------------------------------------------------------------------------------------


def test_a_users_creator_is_wrapped_and_asked_again(engine, server):
    calls = []

    def creator():
        calls.append(1)
        return fake_driver.connect(server=server, autocommit=True)

    with engine(creator=creator).connect() as connection:
        assert isinstance(connection.connection.dbapi_connection, ContinuousConnection)
        before = len(calls)
        server.break_at(Step.SEND, b"SELECT x", error=2006)
        assert connection.execute(text("SELECT x FROM t")).scalar() == 10
        assert len(calls) == before + 1


def test_a_listener_that_answers_do_connect_is_wrapped(engine, server):
    one, tokens = engine(), itertools.count()
    used = []

    def mint(_dialect, _record, _args, kwargs):
        used.append(next(tokens))
        return fake_driver.connect(**kwargs)

    event.listen(one, "do_connect", mint)
    with one.connect() as connection:
        assert isinstance(connection.connection.dbapi_connection, ContinuousConnection)
        before = len(used)
        server.break_at(Step.SEND, b"SELECT x", error=2006)
        connection.execute(text("SELECT x FROM t"))
        assert len(used) == before + 1


def test_a_listener_that_only_changes_the_arguments_of_do_connect_is_heard(engine, server):
    one = engine()
    event.listen(one, "do_connect", lambda _d, _r, _a, kwargs: kwargs.update(user="minted"))
    with one.connect() as connection:
        server.break_at(Step.SEND, b"SELECT x", error=2006)
        connection.execute(text("SELECT x FROM t"))
        assert connection.connection.dbapi_connection.session.user == "minted"


@pytest.mark.parametrize(
    "options",
    [
        {"pool_pre_ping": True},
        {"pool_recycle": 0},
        {"pool_recycle": 3600, "pool_use_lifo": True},
        {"poolclass": NullPool},
        {"poolclass": StaticPool},
        {"isolation_level": "AUTOCOMMIT"},
        {"isolation_level": "SERIALIZABLE"},
        {"pool_reset_on_return": None},
    ],
    ids=str,
)
def test_other_settings_of_the_engine_go_on_working(engine, server, options):
    one = engine(**options)
    for _ in range(3):
        with one.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        server.cut()
    with one.begin() as connection:
        connection.execute(text("UPDATE t SET x = 5 WHERE id = 1"))
    assert server.tables["t"].rows[1] == (1, 5)


def test_the_isolation_level_of_the_engine_is_set_again_after_a_loss(engine, server):
    with engine(isolation_level="SERIALIZABLE").connect() as connection:
        server.break_at(Step.SEND, b"SELECT x", error=2006)
        server.log.clear()
        connection.execute(text("SELECT x FROM t"))
    assert server.sent(b"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE") == 1


def test_replay_can_be_switched_off_for_one_connection_and_is_on_for_the_next(engine, server):
    one = engine()
    with one.connect().execution_options(stillhere_replay=False) as connection:
        connection.execute(text("UPDATE t SET x = 5 WHERE id = 1"))
        server.break_at(Step.SEND, b"SELECT 1", error=2006)
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert "replay is switched off" in caught.value.orig.__notes__[0]
        connection.rollback()
    with one.begin() as connection:
        connection.execute(text("UPDATE t SET x = 6 WHERE id = 1"))
        server.break_at(Step.SEND, b"SELECT 1", error=2006)
        connection.execute(text("SELECT 1"))
    assert server.tables["t"].rows[1] == (1, 6)


def test_a_disposed_engine_goes_on_protected(engine, server):
    one = engine()
    one.connect().close()
    one.dispose()
    with one.connect() as connection:
        assert isinstance(connection.connection.dbapi_connection, ContinuousConnection)
        server.break_at(Step.SEND, b"SELECT x", error=2006)
        connection.execute(text("SELECT x FROM t"))


def test_an_autocommitted_write_is_unknown_under_sqlalchemy_too(engine, server):
    with engine(isolation_level="AUTOCOMMIT").connect() as connection:
        server.break_at(Step.REPLY, b"UPDATE")
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("UPDATE t SET x = 5 WHERE id = 1"))
        assert isinstance(caught.value.orig, StatementOutcomeUnknown)
    assert server.sent(b"UPDATE") == 1


def test_an_engine_without_the_plugin_is_left_alone(server):
    plain = create_engine("mysql+pymysql://app@fake/app", module=fake_driver, connect_args={"server": server})
    with plain.connect() as connection:
        assert type(connection.connection.dbapi_connection) is fake_driver.Connection
    plain.dispose()
