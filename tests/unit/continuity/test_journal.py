"""The journal: limits, what is kept of rows, and which differences are seen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import combinations

import pytest

from stillhere.continuity.journal import Digest, Entry, Journal, difference, digest
from stillhere.continuity.statement import classify
from stillhere.drivers.base import Outcome

READ, WRITE, SET = classify("SELECT 1"), classify("UPDATE t SET x = 1"), classify("SET lock_wait_timeout = 5")
LOCKING = classify("SELECT 1 FROM t FOR UPDATE")
SEEN = (None, 1, 7, None, 0, None)


def journal(max_bytes: int = 1000, max_entries: int = 10) -> Journal:
    return Journal(max_bytes, max_entries)


def add(to: Journal, sql: bytes, statement, seen=SEEN, errno: int = 0) -> None:
    to.add(sql, statement, None, seen, errno, 1.0)


VALUES = [1, True, 1.0, Decimal(1), Decimal("1.0"), "1", b"1", None, 0, False, -1, -2, "", float("nan"), 1.5,
          dt.date(2024, 2, 29), dt.datetime(2024, 2, 29), dt.timedelta(1), {"a": 1}, [1]]  # fmt: skip  # noqa: DTZ001


@pytest.mark.parametrize(("one", "other"), list(combinations(VALUES, 2)), ids=repr)
def test_values_that_differ_in_type_or_value_have_other_digests(one, other):
    assert digest(((one,),)) != digest(((other,),))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_equal_rows_have_equal_digests(value):
    assert digest(((value, "x"),)) == digest(((value, "x"),))


def test_rows_of_another_shape_have_other_digests():
    shapes = [(), ((),), ((1,),), ((1,), (1,)), ((1, 1),), [(1,)], ({"a": 1},), ("1",)]
    assert len({bytes(digest(rows)) for rows in shapes}) == len(shapes)


def test_a_digest_stands_for_its_rows():
    rows = tuple((number,) for number in range(200))
    assert digest(digest(rows)) == digest(rows)


def test_lone_surrogates_can_be_digested():
    assert digest((("\ud800",),)) != digest((("?",),))


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ((), True),
        (((1,),) * 100, True),
        (((1,),) * 101, False),
        ([(1,)], False),
        (({"a": 1},), False),
    ],
)
def test_only_a_few_rows_that_nobody_can_change_are_kept_as_they_are(rows, kept):
    one = journal()
    add(one, b"SELECT 1", READ, (rows, 1, 0, None, 0, None))
    assert isinstance(one.entries[0].outcome.rows, Digest) is not kept


def test_rows_in_dictionaries_are_digested_before_they_can_be_changed():
    one, rows = journal(), [{"a": 1}]
    add(one, b"SELECT 1", READ, (rows, 1, 0, None, 0, None))
    before = digest([{"a": 1}])
    rows[0]["a"] = 2
    assert one.entries[0].outcome.rows == before


def test_it_tells_whether_it_began_wrote_or_locked():
    one = journal()
    assert (bool(one), one.writes, one.locks, one.began) == (False, False, False, 0.0)
    add(one, b"SELECT 1", READ)
    assert (bool(one), one.writes, one.locks, one.began) == (True, False, False, 1.0)
    add(one, b"SELECT 1 FROM t FOR UPDATE", LOCKING)
    add(one, b"UPDATE t SET x = 1", WRITE)
    assert (one.writes, one.locks) == (True, True)
    one.end()
    assert (bool(one), one.writes, one.locks, one.began, one.size) == (False, False, False, 0.0, 0)


def test_past_a_limit_it_goes_on_without_being_replayable_and_still_knows_that_it_wrote():
    one = journal(max_entries=1)
    add(one, b"SELECT 1", READ)
    add(one, b"UPDATE t SET x = 1", WRITE)
    assert one.spoiled == "it has more than journal_statements = 1 statements"
    assert one.writes
    assert one.entries == []
    two = journal(max_bytes=8)
    add(two, b"SELECT 1", READ)
    assert not two.spoiled
    add(two, b"S", READ)
    assert two.spoiled == "its statements exceed journal_bytes = 8"


def test_the_first_reason_stays_until_the_end():
    one = journal()
    one.spoil("first", 2.0)
    one.spoil("second", 3.0)
    assert (one.spoiled, one.began, bool(one)) == ("first", 2.0, True)
    one.end()
    assert one.spoiled == ""


def test_settings_outlive_the_transaction_whether_it_was_spoiled_before_or_after():
    one = journal(max_entries=3)
    add(one, b"SET a = 1", SET)
    add(one, b"UPDATE t SET x = 1", WRITE)
    add(one, b"SET failed = 1", SET, None, 1193)
    add(one, b"SET over = 1", SET)
    one.spoil("reason", 1.0)
    add(one, b"SET b = 2", SET)
    add(one, b"UPDATE t SET x = 1", WRITE)
    assert one.end() == [b"SET a = 1", b"SET over = 1", b"SET b = 2"]
    assert one.end() == []


BEFORE = Outcome(((1,),), 1, 7, (("a",),), 0, "info")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("rows", ((2,),), "rows"),
        ("rows", None, "rows"),
        ("rows", ((True,),), "rows"),
        ("rowcount", 2, "row count"),
        ("lastrowid", 8, "lastrowid"),
        ("description", (("b",),), "columns"),
        ("warnings", 1, "warning count"),
        ("info", None, "info"),
    ],
)
def test_each_thing_that_was_seen_is_compared_and_no_value_is_told(field, value, told):
    entry = Entry(b"INSERT", classify("INSERT INTO t (x) VALUES (1)"), None, BEFORE, 0)
    assert difference(entry, BEFORE, 0) == ""
    assert difference(entry, BEFORE._replace(**{field: value}), 0) == told


def test_an_error_is_compared_by_its_number():
    entry = Entry(b"INSERT", WRITE, None, None, 1062)
    assert difference(entry, None, 1062) == ""
    assert difference(entry, BEFORE, 0) == "error number none where it was 1062"
    assert difference(entry, None, 1048) == "error number 1048 where it was 1062"


def test_the_stale_id_behind_returning_is_not_compared():
    returning = classify("INSERT INTO t (x) VALUES (1) RETURNING id")
    assert difference(Entry(b"", returning, None, BEFORE, 0), BEFORE._replace(lastrowid=99), 0) == ""
