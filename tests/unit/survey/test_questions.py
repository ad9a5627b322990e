"""What further questions to a server make of its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stillhere.server.versions import parse_version
from stillhere.survey.account_use import account_use
from stillhere.survey.digests import digests
from stillhere.survey.error_counts import error_counts
from stillhere.survey.host_cache import host_cache
from stillhere.survey.logged import logged_lines
from stillhere.survey.own_account import own_account
from stillhere.survey.replication import group_members, replicas
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import NotAllowed

MYSQL, MARIADB = "8.4.3", "10.11.14-MariaDB"
THEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def server(version=MYSQL, **variables):
    return Snapshot(
        address="db:3306",
        version=parse_version(version),
        version_text=version,
        taken_at=THEN,
        variables={"performance_schema": "ON"} | variables,
    )


class Scripted:
    """Answers every question with the same rows, or the first that names a part of it; remembers what was asked."""

    def __init__(self, *rows, **by_part):
        self.rows, self.by_part, self.asked = list(rows), by_part, []

    def __call__(self, sql, /):
        self.asked.append(sql)
        return next((rows for part, rows in self.by_part.items() if part in sql), self.rows)


@pytest.mark.parametrize("question", [host_cache, account_use, digests, error_counts])
def test_where_performance_schema_is_off_nothing_is_asked(question):
    ask = Scripted()
    with pytest.raises(NotAllowed, match="performance_schema=ON"):
        question(ask, server(performance_schema="OFF"))
    assert ask.asked == []


def test_errors_are_not_asked_of_a_server_that_does_not_count_them():
    ask = Scripted()
    for old in (MARIADB, "5.7.44"):
        with pytest.raises(NotAllowed, match=r"MySQL 8\.0"):
            error_counts(ask, server(old))
    assert ask.asked == []


def test_times_of_statements_are_told_in_seconds_and_secrets_masked():
    row = {
        "schema_name": None,
        "digest_text": "SET  PASSWORD =\n 'hunter22'",
        "count_star": 3,
        "max_timer_wait": 42_500_000_000_000,
        "avg_timer_wait": 1_000_000_000_000,
        "sum_errors": 1,
    }
    [found] = digests(Scripted(row), server())
    assert (found.longest, found.mean, found.count, found.failed, found.schema) == (42.5, 1.0, 3, 1, "")
    assert "hunter22" not in found.text


def test_hosts_are_told_with_their_errors():
    row = {
        "ip": "10.0.0.9",
        "host": None,
        "sum_connect_errors": 60,
        "count_host_blocked_errors": 2,
        "name_errors": 4,
        "count_handshake_errors": 61,
        "count_authentication_errors": 7,
    }
    [found] = host_cache(Scripted(row), server())
    assert (found.ip, found.host, found.connect_errors, found.blocked_attempts) == ("10.0.0.9", "", 60, 2)
    assert (found.name_errors, found.handshake_errors, found.denied) == (4, 61, 7)


def test_accounts_are_told_with_their_connections():
    row = {"user": "app", "host": "10.0.0.9", "current_connections": 3, "total_connections": 40}
    [found] = account_use(Scripted(row), server())
    assert (found.user, found.host, found.current, found.total) == ("app", "10.0.0.9", 3, 40)


def test_errors_are_asked_by_the_numbers_of_the_one_table():
    row = {
        "error_number": 4031,
        "error_name": "ER_CLIENT_INTERACTION_TIMEOUT",
        "sum_error_raised": 3,
        "first_seen": None,
        "last_seen": Decimal("1772366400.000000"),
    }
    ask = Scripted(row)
    [found] = error_counts(ask, server())
    assert (found.code, found.raised, found.first, found.last) == (4031, 3, None, THEN)
    assert "4031" in ask.asked[0]
    assert "2013" not in ask.asked[0]


def test_an_account_without_a_setting_of_its_own_has_the_servers_password_lifetime():
    row = {
        "max_questions": 0,
        "max_connections": 500,
        "max_user_connections": 10,
        "password_lifetime": None,
        "password_set": 1772366400,
    }
    ask = Scripted(row, account=[{"account": "app@%"}])
    found = own_account(ask, server(default_password_lifetime="90"))
    assert (found.name, found.connections_per_hour, found.connections) == ("app@%", 500, 10)
    assert (found.password_days, found.password_set) == (90, THEN)
    own = Scripted(row | {"password_lifetime": 0}, account=[{"account": "app@%"}])
    assert own_account(own, server(default_password_lifetime="90")).password_days == 0


def test_an_account_that_mysql_user_does_not_have_is_said():
    with pytest.raises(NotAllowed, match="app@% has none"):
        own_account(Scripted(account=[{"account": "app@%"}]), server())


NEW = {
    "source_host": "db1",
    "source_port": 3306,
    "replica_io_running": "Connecting",
    "replica_sql_running": "Yes",
    "seconds_behind_source": None,
    "last_io_errno": 2003,
    "last_io_error": "no way",
    "channel_name": "c",
}
OLD = {
    "master_host": "db1",
    "master_port": 3306,
    "slave_io_running": "Yes",
    "slave_sql_running": "No",
    "seconds_behind_master": 12,
    "last_io_errno": 0,
    "last_sql_errno": 1062,
    "last_io_error": "",
    "last_sql_error": "Duplicate entry",
    "connection_name": "",
}


@pytest.mark.parametrize(
    ("version", "statement"),
    [(MYSQL, "SHOW REPLICA STATUS"), ("8.0.21", "SHOW SLAVE STATUS"), (MARIADB, "SHOW ALL SLAVES STATUS")],
)
def test_each_family_and_version_is_asked_in_its_own_words(version, statement):
    ask = Scripted()
    assert replicas(ask, server(version)) == ()
    assert ask.asked == [statement]


def test_a_replica_is_read_in_either_wording():
    [new] = replicas(Scripted(NEW), server())
    assert (new.source, new.receiving, new.applying, new.lag, new.channel) == ("db1:3306", False, True, None, "c")
    assert new.error == "2003 no way"
    [old] = replicas(Scripted(OLD), server(MARIADB))
    assert (old.receiving, old.applying, old.lag, old.error) == (True, False, 12.0, "1062 Duplicate entry")


def test_only_a_server_in_a_group_is_asked_for_its_members():
    ask = Scripted({"member_id": "u", "member_host": "db1", "member_port": 3306, "member_state": "ONLINE"})
    assert group_members(ask, server()) == ()
    assert ask.asked == []
    [found] = group_members(ask, server(group_replication_group_name="g"))
    assert (found.id, found.address, found.state, found.role) == ("u", "db1:3306", "ONLINE", "")


def test_rows_of_the_log_are_told_as_lines_of_its_file_oldest_first():
    rows = [
        {"logged": 1772366401.5, "thread_id": 7, "prio": "Error", "error_code": "MY-010119", "subsystem": "Server",
         "data": "Aborting\n now"},
        {"logged": 1772366400, "thread_id": 0, "prio": "System", "error_code": "MY-010116", "subsystem": "Server",
         "data": "starting"},
    ]  # fmt: skip
    assert logged_lines(Scripted(*rows), server()) == (
        "2026-03-01T12:00:00.000000Z 0 [System] [MY-010116] [Server] starting",
        "2026-03-01T12:00:01.500000Z 7 [ERROR] [MY-010119] [Server] Aborting now",
    )


@pytest.mark.parametrize("version", [MARIADB, "8.0.21"])
def test_a_server_that_does_not_show_its_log_is_said(version):
    with pytest.raises(NotAllowed, match="--log"):
        logged_lines(Scripted(), server(version))
