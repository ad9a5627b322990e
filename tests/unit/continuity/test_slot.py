"""Where a connection under construction is caught: inside `build` on the same thread, and nowhere else."""

from __future__ import annotations

import threading

import pytest

from stillhere.continuity.connection import ContinuousConnection
from stillhere.continuity.slot import build
from stillhere.errors import ConfigurationError
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import FAKE, Connection, OperationalError
from stillhere.testing.fake_server import Step


@pytest.fixture
def opened(server):
    made = []

    def opened(**options):
        made.append(fake_driver.connect(server=server, **options))
        return made[-1]

    yield opened
    for connection in made:
        Connection.close(connection)


def test_a_chain_that_calls_the_driver_comes_out_continuous(opened):
    connection = build(FAKE, opened)
    assert isinstance(connection, ContinuousConnection)
    assert isinstance(connection, Connection)
    assert type(connection).__name__ == "Connection"
    assert type(connection).__module__ == Connection.__module__


def test_it_is_the_same_class_each_time(opened):
    assert type(build(FAKE, opened)) is type(build(FAKE, opened))


def test_a_users_own_subclass_stays_one(server):
    class Mine(Connection):
        greeting = "hello"

    connection = build(FAKE, lambda: Mine(server=server))
    assert isinstance(connection, Mine)
    assert isinstance(connection, ContinuousConnection)
    assert connection.greeting == "hello"
    connection.close()


def test_outside_of_it_the_driver_is_itself(opened):
    build(FAKE, opened)
    assert type(opened()) is Connection


def test_it_is_inert_on_other_threads(opened):
    others = []

    def chain():
        thread = threading.Thread(target=lambda: others.append(opened()))
        thread.start()
        thread.join()
        return opened()

    assert isinstance(build(FAKE, chain), ContinuousConnection)
    assert type(others[0]) is Connection


def test_it_is_inert_again_after_a_chain_that_failed(opened, server):
    server.break_at(Step.CONNECT, error=2003)
    with pytest.raises(OperationalError):
        build(FAKE, opened)
    assert type(opened()) is Connection


@pytest.mark.parametrize("what", ["cached", "proxy", "nothing"])
def test_what_was_not_opened_during_the_call_is_refused_by_name(opened, what):
    answers = {"cached": opened(), "proxy": object(), "nothing": None}
    with pytest.raises(ConfigurationError, match="is not a connection that fake opened during the call") as caught:
        build(FAKE, lambda: answers[what])
    assert type(answers[what]).__qualname__ in str(caught.value)


def test_a_closed_connection_is_reopened_in_place(opened):
    first = build(FAKE, opened)
    number = first.thread_id()
    Connection.close(first)
    assert build(FAKE, opened, first) is first
    assert first.open
    assert first.thread_id() != number


def test_a_chain_that_returns_another_than_the_one_to_reopen_is_refused(opened):
    first, other = build(FAKE, opened), build(FAKE, opened)
    Connection.close(first)
    with pytest.raises(ConfigurationError, match="another Connection than the one being re-opened"):
        build(FAKE, lambda: other, first)


def test_a_chain_may_open_a_connection_of_its_own_first(opened):
    """To fetch a password, say: the last one is what it returns."""
    first = build(FAKE, opened)
    Connection.close(first)
    tokens = []

    def chain():
        tokens.append(build(FAKE, opened))
        return opened()

    assert build(FAKE, chain, first) is first
    assert tokens[0] is not first
    assert tokens[0].open


def test_building_inside_of_building_knows_its_own_target(opened):
    outer, inner = build(FAKE, opened), build(FAKE, opened)
    Connection.close(outer)
    Connection.close(inner)
    seen = []

    def chain():
        seen.append(build(FAKE, opened, inner))
        return opened()

    assert build(FAKE, chain, outer) is outer
    assert seen == [inner]


def test_a_connect_timeout_is_given_where_there_is_none_and_kept_where_there_is(server):
    for options, expected in (({}, 10), ({"connect_timeout": 3}, 3)):
        connection = build(FAKE, lambda options=options: fake_driver.connect(server=server, **options))
        assert connection._stillhere_kwargs["connect_timeout"] == expected
        connection.close()
