"""Where settings come from and who was cut off: the answers of either family, and of servers that are too old."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.server.versions import parse_version
from stillhere.survey.cut_counts import account_errors
from stillhere.survey.origins import Origin, SettingFacts, setting_facts
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import NotAllowed

AT = datetime(2026, 1, 2, tzinfo=UTC)


def snapshot(version, **variables):
    return Snapshot(
        address="db:3306",
        version=parse_version(version),
        version_text=version,
        taken_at=AT,
        variables={"wait_timeout": "600", "skip_name_resolve": "ON", "performance_schema": "ON"} | variables,
    )


def answering(*answers):
    """Rows by a word of the statement."""

    def ask(sql):
        return next(rows for word, rows in answers if word in sql)

    return ask


def test_mysql_tells_origin_limits_and_what_is_persisted():
    info = [
        {"variable_name": "wait_timeout", "variable_source": "DYNAMIC", "variable_path": "", "min_value": "1",
         "max_value": "31536000", "set_time": "1767312000.5"},
        {"variable_name": "skip_name_resolve", "variable_source": "EXPLICIT", "variable_path": "/etc/my.cnf",
         "min_value": "0", "max_value": "0", "set_time": None},
    ]  # fmt: skip
    saved = [{"variable_name": "wait_timeout", "variable_value": "600"}]
    found = setting_facts(
        answering(("variables_info", info), ("persisted_variables", saved)),
        snapshot("9.7.0"),
        ("wait_timeout", "skip_name_resolve", "idle_transaction_timeout"),
    )
    assert found == {
        "wait_timeout": SettingFacts(
            origin=Origin.SQL,
            low=1,
            high=31536000,
            changed=datetime(2026, 1, 2, 0, 0, 0, 500000, tzinfo=UTC),
            persisted="600",
        ),
        "skip_name_resolve": SettingFacts(origin=Origin.FILE, path="/etc/my.cnf", switch=True),
    }


def test_mariadb_tells_origin_limits_and_steps():
    rows = [
        {"variable_name": "WAIT_TIMEOUT", "global_value_origin": "CONFIG", "global_value_path": "/etc/my.cnf",
         "numeric_min_value": "1", "numeric_max_value": "31536000", "numeric_block_size": "1",
         "variable_type": "BIGINT UNSIGNED", "read_only": "NO"},
        {"variable_name": "SKIP_NAME_RESOLVE", "global_value_origin": "NEW-WORD", "global_value_path": None,
         "numeric_min_value": None, "numeric_max_value": None, "numeric_block_size": None,
         "variable_type": "BOOLEAN", "read_only": "YES"},
    ]  # fmt: skip
    found = setting_facts(answering(("SYSTEM_VARIABLES", rows)), snapshot("10.11.2-MariaDB"), ("wait_timeout",))
    assert found["wait_timeout"] == SettingFacts(
        origin=Origin.FILE, path="/etc/my.cnf", low=1, high=31536000, dynamic=True
    )
    assert found["skip_name_resolve"] == SettingFacts(origin=Origin.UNKNOWN, switch=True, dynamic=False)


def test_settings_that_the_server_has_not_are_not_asked_for():
    assert setting_facts(answering(), snapshot("9.7.0"), ("idle_transaction_timeout",)) == {}


@pytest.mark.parametrize("version", ["5.7.44", "10.0.38-MariaDB"])
def test_an_old_server_has_no_such_table(version):
    with pytest.raises(NotAllowed, match=r"needs MySQL 8\.0 or MariaDB 10\.1"):
        setting_facts(answering(), snapshot(version), ("wait_timeout",))


def test_errors_are_told_by_account_and_those_before_the_login_by_none():
    rows = [
        {"error_name": "ER_NET_READ_INTERRUPTED", "user": None, "host": "10.0.0.9", "sum_error_raised": 3,
         "first_seen": "1767312000", "last_seen": "1767312001"},
        {"error_name": "ER_NET_READ_INTERRUPTED", "user": "app", "host": "10.0.0.9", "sum_error_raised": 2,
         "first_seen": None, "last_seen": None},
    ]  # fmt: skip
    found = account_errors(answering(("by_account_by_error", rows)), snapshot("9.7.0"), ("ER_NET_READ_INTERRUPTED",))
    assert [(one.account, one.raised) for one in found] == [("", 3), ("app@10.0.0.9", 2)]
    assert found[0].last == datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "variables", "said"),
    [
        ("10.11.2-MariaDB", {}, "keeps no count of errors"),
        ("5.7.44", {}, "keeps no count of errors"),
        ("9.7.0", {"performance_schema": "OFF"}, "needs performance_schema=ON"),
    ],
)
def test_a_server_that_counts_no_errors_says_so(version, variables, said):
    with pytest.raises(NotAllowed, match=said):
        account_errors(answering(), snapshot(version, **variables), ("ER_NET_READ_ERROR",))
