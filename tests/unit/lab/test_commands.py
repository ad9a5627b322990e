"""Commands are recognised, with their statement, whatever stands around it."""

from __future__ import annotations

import pytest

from stillhere.lab.wire.commands import Command, after_attributes


def query(text, *, attributes=b""):
    return Command.of(b"\x03" + attributes + text.encode(), attributes=bool(attributes))


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT",
        "commit",
        "  Commit ;",
        "/* trace 17 */ COMMIT",
        "COMMIT /* trace 17 */",
        "-- a remark\nCOMMIT",
        "# a remark\n commit\n",
        "COMMIT WORK",
        "COMMIT/**/AND CHAIN",
    ],
)
def test_a_commit_is_one_in_any_clothes(text):
    assert query(text).begins("commit")


@pytest.mark.parametrize("text", ["COMMITTED", "SELECT 'COMMIT'", "-- COMMIT", "", "ROLLBACK", "XA COMMIT 'a'"])
def test_what_only_looks_like_a_commit_is_none(text):
    assert not query(text).begins("COMMIT")


def test_words_are_compared_whole_and_with_any_spaces_between():
    assert query("start  \n transaction read only").begins("START TRANSACTION")
    assert not query("start").begins("START TRANSACTION")


ONE = b"\x01\x01\x00\x01\xfe\x00\x05trace\x02ab"  # one string called "trace"


@pytest.mark.parametrize(
    "attributes",
    [
        b"\x00\x01",
        ONE,
        b"\x01\x01\x01\x01\xfe\x00\x05trace",  # NULL
        b"\x02\x01\x00\x01\x08\x00\x01a\x03\x00\x01b" + bytes(8) + bytes(4),
        b"\x02\x01\x00\x01\x0c\x00\x01a\x01\x00\x01b\x04\xe8\x07\x01\x01\x09",  # a date, a tiny integer
    ],
)
def test_the_statement_is_found_behind_query_attributes(attributes):
    assert query("COMMIT", attributes=attributes).text == "COMMIT"


@pytest.mark.parametrize("end", range(1, len(ONE)))
def test_query_attributes_that_are_cut_short_do_no_harm(end):
    body = b"\x03" + ONE[:end]
    assert after_attributes(body) <= len(body) + 2
    assert Command.of(body, attributes=True).text == ""


def test_kinds_and_those_without_a_reply():
    assert Command.of(b"\x0e").kind == "COM_PING"
    assert Command.of(b"\x0e").answered
    assert Command.of(b"\x77").kind == "COM_0x77"
    assert [kind for kind in range(256) if not Command.of(bytes([kind])).answered] == [0x01, 0x18, 0x19]


def test_only_commands_with_a_statement_have_text():
    assert Command.of(b"\x16SELECT 1").text == "SELECT 1"
    assert Command.of(b"\x02shop").text == "shop"
    assert Command.of(b"\x17\x01\x00\x00\x00").text == ""
