"""Session state: what is set again on the next connection, and in which order."""

from __future__ import annotations

import pytest

from stillhere.continuity.session import SessionState, Step, reading_mode
from stillhere.testing.fake_driver import FAKE, Connection


def session(*statements: bytes, prologue: tuple[bytes, ...] = ()) -> SessionState:
    made = SessionState()
    for sql in prologue:
        made.accept(Step(sql))
    made.end_prologue()
    for sql in statements:
        made.accept(Step(sql))
    return made


def texts(of: SessionState) -> list[bytes]:
    return [step.sql for step in of.steps()]


def test_the_prologue_comes_first_and_verbatim():
    made = session(b"SET a = 2", prologue=(b"SET a = 1", b"SELECT f()", b"SET a = 1"))
    assert texts(made) == [b"SET a = 1", b"SELECT f()", b"SET a = 1", b"SET a = 2"]


def test_the_same_setting_again_takes_its_later_place():
    assert texts(session(b"SET a = 1", b"SET a = 2", b"SET a = 1")) == [b"SET a = 2", b"SET a = 1"]


@pytest.mark.parametrize("sql", [b"SET NAMES latin1", b"SET sql_mode = ''", b"SET character_set_client = x"])
def test_settings_that_change_how_others_are_read_keep_every_place(sql):
    assert texts(session(sql, b"SET a = 1", sql)) == [sql, b"SET a = 1", sql]
    assert texts(session(sql, sql)) == [sql]


def test_an_application_that_sets_the_same_at_each_request_doesnt_fill_it():
    made = session(*[b"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", b"SET SESSION lock_wait_timeout = 5"] * 9)
    assert len(made) == 2


def test_more_than_can_be_restored_is_said():
    made = session(*[b"SET @a = %d" % number for number in range(SessionState.limit)])
    assert not made.overflowing
    made.accept(Step(b"SET @b = 1"))
    assert made.overflowing


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", ""),
        ("STRICT_TRANS_TABLES", ""),
        ("NO_BACKSLASH_ESCAPES", "NO_BACKSLASH_ESCAPES"),
        ("ANSI_QUOTES,STRICT_ALL_TABLES", "ANSI_QUOTES"),
        ("ANSI", "ANSI_QUOTES"),
        ("NO_BACKSLASH_ESCAPES,ANSI", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"),
    ],
)
def test_what_of_the_sql_mode_decides_where_a_literal_ends(text, mode):
    assert reading_mode(text) == mode
    made = session(f"SET sql_mode = '{text.lower()}'".encode())
    assert made.sql_mode == mode


def test_everything_is_restored_in_order_with_the_one_shot_last(server):
    made = session(b"SET a = 1")
    made.accept(Step(charset=("latin1",)))
    made.accept(Step(b"USE `x`"))
    made.one_shot = Step(b"SET TRANSACTION READ ONLY")
    connection = Connection(server=server)
    made.restore(FAKE, connection)
    assert server.statements() == [b"SET a = 1", b"SET NAMES latin1", b"USE `x`", b"SET TRANSACTION READ ONLY"]
    assert connection.encoding == "latin-1"
    connection.close()


def test_pins_are_forgotten_on_request():
    made = session()
    made.pins["GET_LOCK"] = None
    made.forget_pins()
    assert not made.pins
