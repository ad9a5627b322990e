"""One look at a server: what is asked, and what a missing right leaves out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.survey.take import NotAllowed, take

ANSWERS = {
    "SELECT VERSION()": [{"version": "10.11.14-MariaDB", "now": datetime(2026, 5, 4, 3, 2, 1), "id": 7}],  # noqa: DTZ001
    "SHOW GLOBAL VARIABLES": [{"variable_name": "Wait_Timeout", "value": "600"}],
    "SHOW SESSION VARIABLES": [{"variable_name": "wait_timeout", "value": "30"}],
    "SHOW GLOBAL STATUS": [{"variable_name": "Aborted_clients", "value": "3"}],
    "SHOW FULL PROCESSLIST": [
        {"id": 7, "user": "ops", "host": "localhost", "db": None, "command": "Query", "time": 0, "state": "",
         "info": "x"},
        {"id": 8, "user": "app", "host": "10.0.0.9:4711", "db": "shop", "command": "Sleep", "time": 61, "state": None,
         "info": None},
        {"id": 9, "user": "app", "host": "fe80::1:4712", "db": "shop", "command": "Query", "time": 2, "state": "init",
         "info": "CREATE USER x IDENTIFIED BY 'hunter22'"},
    ],
    "SELECT trx_mysql_thread_id": [
        {"id": 8, "seconds": 61.5, "state": "RUNNING", "modified": 2, "locked": 3, "statement": None}
    ],
}  # fmt: skip


def asking(refused=()):
    def ask(sql):
        start = next(start for start in ANSWERS if sql.startswith(start))
        if start in refused:
            raise NotAllowed("needs PROCESS")
        return ANSWERS[start]

    return ask


def test_a_snapshot_has_names_in_lower_case_and_the_servers_clock():
    snapshot = take(asking(), "db:3306")
    assert snapshot.number("WAIT_TIMEOUT") == 600
    assert snapshot.session_variables["wait_timeout"] == "30"
    assert snapshot.count("aborted_clients") == 3
    assert snapshot.taken_at == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    assert snapshot.mariadb
    assert snapshot.gaps == {}


def test_the_asking_connection_is_left_out_and_hosts_lose_their_ports():
    snapshot = take(asking(), "db:3306")
    assert [(one.id, one.host, one.port, one.idle) for one in snapshot.sessions] == [
        (8, "10.0.0.9", 4711, True),
        (9, "fe80::1", 4712, False),
    ]


def test_a_password_in_a_running_statement_is_masked():
    assert "hunter22" not in take(asking(), "db:3306").sessions[1].statement


def test_a_missing_right_is_a_gap_and_says_what_is_needed():
    snapshot = take(asking(refused=("SELECT trx_mysql_thread_id",)), "db:3306")
    assert snapshot.transactions is None
    assert snapshot.gaps["transactions"] == "needs PROCESS"
    assert "own only" in snapshot.gaps["sessions"]


def test_what_is_not_wanted_is_not_asked():
    snapshot = take(asking(refused=("SHOW FULL PROCESSLIST",)), "db:3306", sessions=False, transactions=False)
    assert snapshot.sessions is None
    assert snapshot.transactions is None


@pytest.mark.parametrize("value", ["", "AUTO", "none"])
def test_a_variable_that_is_no_number_is_not_known_as_one(value):
    answers = {**ANSWERS, "SHOW GLOBAL VARIABLES": [{"variable_name": "x", "value": value}]}
    snapshot = take(lambda sql: answers[next(start for start in answers if sql.startswith(start))], "db:3306")
    assert snapshot.number("x") is None
    assert snapshot.switched_on("x") is None
