"""Incidents of one cause on one server, summed up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stillhere.causes.groups import grouped
from stillhere.events import Incident

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def incident(cause, minutes, server="db:1", done="Replaced", sentence="s", **changes):
    at = NOW - timedelta(minutes=minutes)
    return Incident(at=at, server=server, cause=cause, certainty=0.75, sentence=sentence, done=done, **changes)


def test_the_largest_group_comes_first_and_servers_are_kept_apart():
    found = [incident("killed", 1), incident("crash", 2), incident("crash", 3), incident("crash", 4, "db:2")]
    assert [(group.server, group.cause, group.count) for group in grouped(found, NOW)] == [
        ("db:1", "crash", 2),
        ("db:1", "killed", 1),
        ("db:2", "crash", 1),
    ]


def test_the_last_one_speaks_for_its_group():
    [group] = grouped(
        [incident("killed", 1, sentence="new", remedy="b"), incident("killed", 90, sentence="old", remedy="a")], NOW
    )
    assert (group.sentence, group.remedy) == ("new", "b")
    assert (group.first, group.last) == (NOW - timedelta(minutes=90), NOW - timedelta(minutes=1))
    assert group.last_hour == 1


def test_what_came_of_them_is_counted():
    [group] = grouped(
        [incident("killed", 1, done="b"), incident("killed", 2, done="a"), incident("killed", 3, done="a")], NOW
    )
    assert group.done == (("a", 2), ("b", 1))


def test_an_unknown_cause_is_marked_and_says_what_to_collect():
    [group] = grouped([incident("unknown", 1, collect=("the log",))], NOW)
    assert group.unknown
    assert group.collect == ("the log",)


def test_without_incidents_there_is_no_group():
    assert grouped([], NOW) == []
