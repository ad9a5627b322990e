"""What the page is told of a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stillhere.board.view import Seen, server_view
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import OpenTransaction, Session, Snapshot

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def session(number, **changes):
    base = Session(
        id=number, user="app", host="10.0.0.1", port=4000 + number, database="shop", command="Sleep", seconds=number,
        state="", statement="",
    )  # fmt: skip
    return replace(base, **changes)


SNAPSHOT = Snapshot(
    address="db:3306",
    version=parse_version("8.4.0"),
    version_text="8.4.0",
    taken_at=NOW,
    variables={"max_connections": "151", "wait_timeout": "600"},
    status={"threads_connected": "3", "aborted_clients": "30", "uptime": "100"},
    sessions=(session(5), session(50), session(9, command="Query", user="job"), session(1, command="Daemon")),
    transactions=(
        OpenTransaction(thread_id=50, seconds=61.0, state="RUNNING", rows_modified=1, rows_locked=2, statement=""),
        OpenTransaction(thread_id=9, seconds=0.2, state="RUNNING", rows_modified=0, rows_locked=0, statement="SELECT"),
    ),
)


def view(**changes):
    return server_view(Seen(**{"address": "db:3306", "snapshot": SNAPSHOT} | changes))


def test_a_server_that_was_not_reached_yet_and_one_that_is_down_say_so():
    assert view(snapshot=None)["state"] == "connecting"
    down = view(trouble="refused (2003)", since=4.2)
    assert (down["state"], down["trouble"], down["since"]) == ("down", "refused (2003)", 4.2)
    assert down["version"] == "MySQL 8.4.0"  # what was known before stays on the page, with its age


def test_numbers_are_the_servers_own():
    shown = view()
    assert (shown["connections"], shown["limit"], shown["wait_timeout"]) == (3, 151, 600)
    assert shown["idle"] == [50, 5]
    assert shown["idle_count"] == 2
    assert shown["users"] == [["app", 2], ["job", 1]]
    assert shown["states"] == [["idle", 2], ["query", 1]]


def test_only_transactions_of_a_second_or_more_are_listed_with_who_holds_them():
    (one,) = view()["transactions"]
    assert (one["id"], one["user"], one["port"], one["idle"]) == (50, "app", 4050, True)


def test_what_may_not_be_seen_is_none_with_its_reason():
    shown = view(snapshot=replace(SNAPSHOT, transactions=None, gaps={"transactions": "needs PROCESS"}))
    assert shown["transactions"] is None
    assert shown["gaps"] == {"transactions": "needs PROCESS"}


def test_a_rate_is_a_minutes_growth_and_none_where_the_server_was_started_again():
    earlier = replace(SNAPSHOT, taken_at=NOW - timedelta(seconds=30), status={"aborted_clients": "24"})
    assert view(before=earlier)["rates"]["aborted_clients"] == 12.0
    later = replace(earlier, status={"aborted_clients": "900"})
    assert view(before=later)["rates"]["aborted_clients"] is None
    assert view()["rates"]["aborted_clients"] is None
    assert view(before=earlier)["rates"]["com_kill"] is None


def test_many_accounts_are_the_most_frequent_and_the_others():
    many = tuple(session(number, user=f"user{number}") for number in range(30))
    users = view(snapshot=replace(SNAPSHOT, sessions=many))["users"]
    assert len(users) == 13
    assert users[-1] == ["other", 18]
