"""One variable, many spellings. Every case was seen on MySQL 9.7 and MariaDB 10.11."""

from __future__ import annotations

import pytest

from stillhere.server.versions import parse_version
from stillhere.tune.optionfile import parse
from stillhere.tune.spelling import conventions, same_value

VARIABLES = ("wait_timeout", "skip_name_resolve", "innodb_rollback_on_timeout", "max_allowed_packet")
MYSQL = conventions(parse_version("9.7.0"), VARIABLES)
MARIADB = conventions(parse_version("10.11.2-MariaDB"), VARIABLES)
BOTH = (MYSQL, MARIADB)


def meaning(rules, text, group="mysqld"):
    return rules.meaning(parse(f"[{group}]\n{text}\n".encode()).lines[1])


@pytest.mark.parametrize("rules", BOTH, ids=["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wait-timeout=5", ("wait_timeout", "5")),
        ("wait_timeout = 5", ("wait_timeout", "5")),
        ("loose-wait_timeout=5", ("wait_timeout", "5")),
        ("loose_loose_wait-timeout=5", ("wait_timeout", "5")),
        ("skip-name-resolve", ("skip_name_resolve", "ON")),
        ("skip_name_resolve=OFF", ("skip_name_resolve", "OFF")),
        ("skip-skip-name-resolve", ("skip_name_resolve", "OFF")),
        ("disable-skip-name-resolve", ("skip_name_resolve", "OFF")),
        ("enable-skip-name-resolve", ("skip_name_resolve", "ON")),
        ("skip-innodb-rollback-on-timeout", ("innodb_rollback_on_timeout", "OFF")),
        ("skip-innodb-rollback-on-timeout=1", ("innodb_rollback_on_timeout", "OFF")),
        ("skip-innodb-rollback-on-timeout=0", ("innodb_rollback_on_timeout", "ON")),
        ("innodb-rollback-on-timeout", ("innodb_rollback_on_timeout", "ON")),
        ("WAIT_TIMEOUT=5", ("WAIT_TIMEOUT", "5")),
        ("wait-time=5", ("wait_time", "5")),
        ("maximum-wait-timeout=5", ("maximum_wait_timeout", "5")),
    ],
)
def test_a_spelling_means_one_variable(rules, text, found):
    assert meaning(rules, text) == found


def test_mysqls_older_option_of_that_name_is_on_whatever_follows_it():
    assert meaning(MYSQL, "skip-name-resolve=0") == ("skip_name_resolve", "ON")
    assert meaning(MARIADB, "skip-name-resolve=0") == ("skip_name_resolve", "0")


def test_only_mariadb_takes_loose_in_capitals():
    assert meaning(MARIADB, "LOOSE-wait-timeout=5") == ("wait_timeout", "5")
    assert meaning(MYSQL, "LOOSE-wait-timeout=5") == ("LOOSE_wait_timeout", "5")


@pytest.mark.parametrize(
    ("group", "mysql", "mariadb"),
    [
        ("mysqld", True, True),
        ("MYSQLD", True, True),
        ("server", True, True),
        ("mysqld-9.7", True, False),
        ("mysqld-10.11", False, True),
        ("mariadb-10.11", False, True),
        ("client-server", False, True),
        ("client", False, False),
        (" mysqld", False, False),
    ],
)
def test_each_family_reads_its_own_groups(group, mysql, mariadb):
    assert (meaning(MYSQL, "wait_timeout=5", group) is not None) is mysql
    assert (meaning(MARIADB, "wait_timeout=5", group) is not None) is mariadb


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("64M", "67108864", True),
        ("64m", "65536K", True),
        ("64MB", "67108864", True),
        ("on", "1", True),
        ("TRUE", "ON", True),
        ("+5", "5", True),
        ("OFF", "0", True),
        ("5", "6", False),
        ("ON", "OFF", False),
        ("utf8mb4", "utf8mb4", True),
        ("utf8mb4", "utf8", False),
    ],
)
def test_values_are_the_same_when_a_server_takes_them_for_the_same(one, other, same):
    assert same_value(one, other) is same
