"""What one question learns of the server, and whether a server was restarted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.continuity.facts import UNKNOWN_FACTS, Facts, learn, restarted_between
from stillhere.server.versions import Flavour, parse_version
from stillhere.testing.fake_driver import FAKE, Connection, OperationalError
from stillhere.testing.fake_server import FakeServer, Step
from stillhere.testing.fake_tables import Reply, ServerError

BEFORE = replace(UNKNOWN_FACTS, identity="a", thread_id=10, uptime=1000, learned_at=50.0)


@pytest.fixture
def ask(server):
    opened = []

    def ask(of: FakeServer = server) -> Facts:
        opened.append(Connection(server=of))
        return learn(FAKE, opened[-1])

    yield ask
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(("version", "flavour"), [("8.4.0", Flavour.MYSQL), ("10.11.6-MariaDB", Flavour.MARIADB)])
def test_one_round_trip_learns_all(version, flavour, ask):
    server = FakeServer(version, "me", wait_timeout=600, max_allowed_packet=1024, clock=lambda: 0.0)
    server.kills = 3
    server.variables["sql_mode"] = "ansi_quotes"
    facts = ask(server)
    assert len(server.log) == 1
    assert facts == Facts(
        flavour=flavour,
        identity="me",
        thread_id=8,
        user="app",
        host="192.0.2.1:40000",
        wait_timeout=600.0,
        max_allowed_packet=1024,
        sql_mode="ANSI_QUOTES",
        uptime=5000,
        kills=3,
        learned_at=facts.learned_at,
        version=parse_version(version).number,
    )
    server.close()


def test_a_server_that_refuses_the_question_is_asked_the_plain_part(server, ask):
    server.answer(b"VARIABLE_VALUE", ServerError(1142, "SELECT command denied"))
    facts = ask()
    assert (facts.identity, facts.user, facts.uptime, facts.kills) == ("", "", -1, -1)
    assert (facts.thread_id, facts.wait_timeout) == (8, 28800.0)


def test_an_answer_without_a_row_is_no_answer(server, ask):
    server.answer(b"VARIABLE_VALUE", Reply((), ()))
    assert ask().thread_id == 8


def test_a_loss_is_no_refusal(server, ask):
    server.break_at(Step.REPLY, b"VARIABLE_VALUE")
    with pytest.raises(OperationalError):
        ask()
    assert len(server.log) == 1


def test_texts_may_come_as_bytes_and_numbers_as_null(server, ask):
    server.answer(b"VARIABLE_VALUE", Reply.of((600, 1024, 8, b"ansi", b"id", b"77", None, b"u", None)))
    facts = ask()
    assert (facts.sql_mode, facts.identity, facts.uptime, facts.kills) == ("ANSI", "id", 77, -1)
    assert (facts.user, facts.host) == ("u", "")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"thread_id": 11, "uptime": 1010}, False),
        ({"thread_id": 11, "uptime": 1008}, False),
        ({"thread_id": 11, "uptime": 1007}, True),
        ({"thread_id": 11, "uptime": 3}, True),
        ({"thread_id": 10, "uptime": 1010}, True),
        ({"thread_id": 9, "uptime": 1010}, True),
        ({"thread_id": 11, "uptime": -1}, None),
        ({"thread_id": 9, "uptime": -1}, True),
        ({"thread_id": 9, "identity": "b"}, None),
        ({"thread_id": 11, "identity": ""}, None),
    ],
)
def test_a_restart_is_told_by_numbers_that_start_again_or_by_the_uptime(after, expected):
    assert restarted_between(BEFORE, replace(BEFORE, opening_at=59.0, learned_at=60.0, **after)) is expected


def test_of_unknown_servers_nothing_is_told():
    assert restarted_between(UNKNOWN_FACTS, UNKNOWN_FACTS) is None


@pytest.mark.parametrize(
    ("uptime_before", "uptime_after", "expected"),
    [
        (100, 5, True),  # it can't be younger than it was
        (100, 160, False),
        (4, 63, False),
        (1, 60, None),  # it ran on, or was started again at the very beginning of the minute
        (0, 59, None),
        (1, 3, True),
        (-1, 5, None),
    ],
)
def test_who_wants_to_be_sure_is_not_told_that_a_young_server_ran_on(uptime_before, uptime_after, expected):
    before = replace(BEFORE, thread_id=8, uptime=uptime_before, learned_at=1000.0)
    after = replace(BEFORE, thread_id=9, uptime=uptime_after, opening_at=1059.0, learned_at=1060.0)
    assert restarted_between(before, after, sure=True) is expected
    if expected is not None:
        assert restarted_between(before, after) is expected
