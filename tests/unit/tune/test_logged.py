"""What an error log says of cuts, for servers that count none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stillhere.errorlog.entry import Entry, Kind
from stillhere.tune.logged import cuts_logged, silence
from stillhere.tune.measured import Cut

from .conftest import MARIADB, MYSQL

START = datetime(2026, 1, 2, tzinfo=UTC)
READING, WRITING = "Got timeout reading communication packets", "Got timeout writing communication packets"


def entry(kind, reason="", *, after=60, user="app"):
    return Entry(kind=kind, at=START + timedelta(seconds=after), user=user, host="10.0.0.7", reason=reason)


def numbers(entries, snapshot):
    found = cuts_logged(entries, snapshot, START, "error.log")
    return {kind: seen.number for kind, (seen,) in found.items() if seen.number}


@pytest.mark.parametrize(
    ("one", "mariadb", "mysql"),
    [
        (entry(Kind.ABORTED, READING), Cut.IDLE, Cut.READ),
        (entry(Kind.ABORTED, WRITING), Cut.WRITE, Cut.WRITE),
        (entry(Kind.ABORTED, "Got an error reading communication packets"), None, None),
        (entry(Kind.IDLE_TIMEOUT), Cut.IDLE, Cut.IDLE),
        (entry(Kind.PACKET_TOO_LARGE), Cut.PACKET, Cut.PACKET),
        (entry(Kind.ABORTED_CONNECT, READING, user=""), Cut.HANDSHAKE, Cut.HANDSHAKE),
        (entry(Kind.ABORTED_CONNECT, user=""), None, None),
        (entry(Kind.UNAUTHENTICATED, user=""), None, None),
        (entry(Kind.START), None, None),
        (entry(Kind.PACKET_TOO_LARGE, after=-3), None, None),
    ],
)
def test_each_line_is_one_kind_of_cut_or_none(server, one, mariadb, mysql):
    assert numbers([one], server(MARIADB).snapshot) == ({mariadb: 1} if mariadb else {})
    assert numbers([one], server(MYSQL).snapshot) == ({mysql: 1} if mysql else {})


def test_kinds_that_never_came_are_counted_as_none_and_who_was_cut_is_told(server):
    entries = [
        entry(Kind.ABORTED, READING),
        entry(Kind.ABORTED, READING, after=90),
        entry(Kind.ABORTED, READING, user="b"),
    ]
    found = cuts_logged(entries, server(MARIADB).snapshot, START, "error.log")
    (seen,) = found[Cut.IDLE]
    assert seen.by == (("app@10.0.0.7", 2), ("b@10.0.0.7", 1))
    assert seen.last == START + timedelta(seconds=90)
    assert found[Cut.PACKET][0].number == 0
    assert Cut.READ not in found


def test_what_came_before_the_last_start_is_of_another_life(server):
    entries = [entry(Kind.PACKET_TOO_LARGE), entry(Kind.START, after=60), entry(Kind.ABORTED, READING)]
    assert numbers(entries, server(MARIADB).snapshot) == {Cut.IDLE: 1}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"log_warnings": "2"}, None),
        ({"log_warnings": "1"}, "log_warnings is 1"),
        ({"log_error_verbosity": "3"}, None),
        ({"log_error_verbosity": "2"}, "log_error_verbosity is 2"),
        ({}, None),
    ],
)
def test_a_log_that_is_too_quiet_says_nothing_of_cuts(server, variables, said):
    found = silence(server(variables=variables).snapshot)
    assert (found is None) if said is None else found.startswith(said)
