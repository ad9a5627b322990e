"""Tables, indexes and files as either family tells them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.table_use import index_use, statistics, unclean_start
from stillhere.survey.tables import Column, file_sizes, foreign_columns, indexes, sees_all, tables
from stillhere.survey.take import NotAllowed

AT = datetime(2026, 1, 2, tzinfo=UTC)
STARTED, STOPPED = "MY-010116", "MY-010910"


def snapshot(version="9.7.0", **variables):
    return Snapshot(
        address="db:3306",
        version=parse_version(version),
        version_text=version,
        taken_at=AT,
        variables={"performance_schema": "ON"} | variables,
    )


class Asked:
    """Rows by a word of the statement; remembers what was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.statements = []

    def __call__(self, sql, /):
        self.statements.append(sql)
        return next((rows for word, rows in self.answers.items() if word in sql), [])


TABLE = {"s": "shop", "t": "orders", "e": "InnoDB", "n": 5, "d": 16384, "i": None, "f": 0, "o": None}
ENGINES = [{"engine": "InnoDB", "transactions": "YES"}, {"engine": "MyISAM", "transactions": "NO"}]


def test_a_table_has_what_its_engine_can_and_a_name_that_is_safe_in_a_statement():
    ask = Asked(ENGINES=ENGINES, TABLES=[TABLE, TABLE | {"t": "a`b", "e": "MyISAM"}])
    found = tables(ask, snapshot())
    assert [(one.transactional, one.quoted) for one in found] == [(True, "`shop`.`orders`"), (False, "`shop`.`a``b`")]
    assert (found[0].rows, found[0].index) == (5, 0)


@pytest.mark.parametrize(("version", "fresh"), [("9.7.0", True), ("5.7.44", False), ("10.11.2-MariaDB", False)])
def test_only_mysqls_kept_sizes_have_to_be_asked_for_afresh(version, fresh):
    ask = Asked()
    tables(ask, snapshot(version))
    assert any("information_schema_stats_expiry" in one for one in ask.statements) is fresh


def test_one_schema_is_asked_for_without_its_name_in_clear():
    ask = Asked()
    tables(ask, snapshot(), "sh'op")
    assert "sh'op" not in ask.statements[-1]
    assert "0x7368276f70" in ask.statements[-1]


def test_the_servers_own_schemas_are_left_out():
    ask = Asked()
    tables(ask, snapshot())
    assert "NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')" in ask.statements[-1]


def test_an_indexs_parts_are_put_together_in_order():
    part = {"table_schema": "shop", "table_name": "orders", "index_name": "k", "non_unique": 1, "index_type": "BTREE",
            "column_name": "a", "sub_part": 5, "collation": "A", "nullable": "YES", "is_visible": "NO"}  # fmt: skip
    second = part | {"column_name": None, "expression": "lower(b)", "sub_part": None, "collation": "D", "nullable": ""}
    (found,) = indexes(Asked(STATISTICS=[part, second]))
    assert found.columns == (
        Column(name="a", length=5, nullable=True),
        Column(name="lower(b)", order="D"),
    )
    assert (found.unique, found.used) == (False, False)


def test_an_index_that_mariadb_is_told_to_ignore_is_not_used():
    part = {"table_schema": "s", "table_name": "t", "index_name": "k", "non_unique": 0, "index_type": "BTREE",
            "column_name": "a", "sub_part": None, "collation": "A", "nullable": "", "ignored": "YES"}  # fmt: skip
    (found,) = indexes(Asked(STATISTICS=[part]))
    assert (found.unique, found.used) == (True, False)


def test_files_of_partitions_are_one_table_and_coded_names_are_read_by_the_server():
    rows = [
        {"name": "shop/orders#p#p0", "size": 10},
        {"name": "shop/orders#P#p1", "size": 20},
        {"name": "shop/we@0024ird", "size": 5},
    ]
    ask = Asked(INNODB_TABLESPACES=rows, _filename=[{"n0": "we$ird"}])
    assert file_sizes(ask, snapshot()) == {("shop", "orders"): 30, ("shop", "we$ird"): 5}


def test_a_server_that_is_too_old_shows_no_files():
    with pytest.raises(NotAllowed, match=r"needs MySQL 8\.0"):
        file_sizes(Asked(), snapshot("5.7.44"))


@pytest.mark.parametrize(("grantee", "all_"), [("'app'@'%'", True), ("'root'@'localhost'", False)])
def test_whether_the_account_sees_all_is_told_by_its_own_grant(grantee, all_):
    assert sees_all(Asked(CURRENT_USER=[{"account": "app@%"}], USER_PRIVILEGES=[{"grantee": grantee}])) is all_


def test_foreign_keys_need_their_first_column():
    rows = [{"s": "shop", "t": "orders", "c": "customer"}]
    assert foreign_columns(Asked(KEY_COLUMN_USAGE=rows)) == {(("shop", "orders"), "customer")}


def test_statistics_of_partitions_are_left_out():
    row = {"database_name": "shop", "table_name": "orders", "n_rows": 5, "updated": "1767312000"}
    found = statistics(Asked(innodb_table_stats=[row, row | {"table_name": "orders#P#p0"}]))
    assert list(found) == [("shop", "orders")]
    assert found["shop", "orders"].updated == AT


def test_a_tables_own_use_stands_under_no_name():
    rows = [{"s": "shop", "t": "orders", "i": None, "n": 7}, {"s": "shop", "t": "orders", "i": "PRIMARY", "n": 2}]
    found = index_use(Asked(table_io_waits=rows), snapshot())
    assert found == {(("shop", "orders"), ""): 7, (("shop", "orders"), "PRIMARY"): 2}
    with pytest.raises(NotAllowed, match="performance_schema"):
        index_use(Asked(), snapshot(performance_schema="OFF"))


@pytest.mark.parametrize(
    ("codes", "unclean"),
    [
        ([STARTED, STARTED], True),
        ([STARTED, STOPPED], False),
        ([STARTED], False),
        ([], False),
        ([STOPPED, STARTED], False),
    ],
)
def test_a_start_after_a_start_had_no_shutdown_between(codes, unclean):
    rows = [{"at": "1767312000", "code": code} for code in codes]
    found = unclean_start(Asked(error_log=rows), snapshot())
    assert (found is not None) is unclean
    if found is not None:
        assert found.at == AT


def test_only_later_mysql_shows_its_error_log_to_queries():
    with pytest.raises(NotAllowed, match="doesn't show its error log"):
        unclean_start(Asked(), snapshot("10.11.2-MariaDB"))
