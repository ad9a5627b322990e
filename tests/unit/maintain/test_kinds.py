"""Each kind of maintenance finds its own situation and stays silent on every other one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stillhere.findings import Severity
from stillhere.maintain.inventory import Thresholds
from stillhere.maintain.kinds.duplicate_indexes import duplicate_of
from stillhere.survey.table_use import Statistics, UncleanStart
from stillhere.survey.tables import Column

from .conftest import KEY, MIB, NOW, PRIMARY, index, table

GIB = 1024 * MIB


def statements(plan):
    return [step.statement for step in plan.steps]


def kinds(plan):
    return sorted({one.rule.removeprefix("maintain-") for one in plan.advice} | {step.kind for step in plan.steps})


def gaps(plan):
    return {gap.kind: gap.reason for gap in plan.gaps}


def test_for_a_healthy_schema_there_is_nothing_to_do(inventory, planned):
    found = planned(inventory())
    assert (found.steps, found.advice, found.gaps) == ((), (), ())


def test_an_account_that_does_not_see_all_says_so_first(inventory, planned):
    found = planned(inventory(tables=(), indexes=(), gaps={"tables": "needs SELECT on everything"}))
    assert gaps(found) == {"tables": "needs SELECT on everything"}


class TestRebuild:
    """Free space that was measured."""

    def test_much_free_space_in_bytes_and_share_is_worth_it(self, inventory, planned):
        found = planned(inventory(tables=(table(free=GIB),), files={KEY: 2 * GIB}))
        assert statements(found) == ["ALTER TABLE `shop`.`orders` FORCE, ALGORITHM=INPLACE, LOCK=NONE"]
        step = found.steps[0]
        assert step.finding.evidence[0].fact == "1 GiB of 2 GiB are free (50%)"
        assert "Another 1 GiB on the disk" in step.finding.remedy.cost
        assert step.work == GIB

    @pytest.mark.parametrize(("free", "file"), [(99 * MIB, 200 * MIB), (GIB, 5 * GIB)])
    def test_few_bytes_or_a_small_share_are_not(self, inventory, planned, free, file):
        assert planned(inventory(tables=(table(free=free),), files={KEY: file})).steps == ()

    def test_a_table_in_a_shared_tablespace_is_not_judged(self, inventory, planned):
        assert planned(inventory(tables=(table(free=GIB),), files={})).steps == ()

    def test_without_the_right_to_see_files_it_is_a_gap(self, inventory, planned):
        found = planned(inventory(tables=(table(free=GIB),), files=None, gaps={"files": "needs PROCESS"}))
        assert found.steps == ()
        assert "needs PROCESS" in gaps(found)["rebuild"]

    def test_what_no_online_rebuild_takes_along_is_only_advised(self, inventory, planned):
        found = planned(
            inventory(
                tables=(table(free=GIB),),
                files={KEY: 2 * GIB},
                indexes=(PRIMARY, index("words", "text", kind="FULLTEXT")),
            )
        )
        assert found.steps == ()
        assert kinds(found) == ["rebuild"]

    def test_the_most_free_space_comes_first(self, inventory, planned):
        keys = [("shop", name) for name in "abc"]
        frees = (GIB, 3 * GIB, 2 * GIB)
        found = planned(
            inventory(
                tables=tuple(table(key, free=free) for key, free in zip(keys, frees, strict=True)),
                files=dict.fromkeys(keys, 4 * GIB),
                indexes=tuple(index("PRIMARY", "id", key=key) for key in keys),
            )
        )
        assert [step.table for step in found.steps] == ["shop.b", "shop.c", "shop.a"]

    def test_another_engines_table_is_optimized_and_the_wait_is_told(self, inventory, planned):
        found = planned(inventory(tables=(table(engine="MyISAM", data=GIB, free=GIB),)))
        assert statements(found) == ["OPTIMIZE TABLE `shop`.`orders`"]
        assert "waits while it runs" in found.steps[0].finding.remedy.cost


class TestCheck:
    """After a crash, or on request."""

    CRASH = UncleanStart(at=NOW, source="performance_schema.error_log")

    def test_after_a_crash_every_table_is_checked_and_those_without_recovery_first(self, inventory, planned):
        other = table(("shop", "log"), "MyISAM")
        found = planned(inventory(crash=self.CRASH, tables=(table(), other)))
        assert statements(found) == ["CHECK TABLE `shop`.`log`", "CHECK TABLE `shop`.`orders`"]
        assert "without a shutdown before" in found.steps[0].finding.evidence[0].fact

    def test_on_request_without_a_crash(self, inventory, planned):
        found = planned(inventory(thresholds=Thresholds(check=True)))
        assert statements(found) == ["CHECK TABLE `shop`.`orders`"]

    def test_whether_there_was_a_crash_may_be_unknown(self, inventory, planned):
        found = planned(inventory(gaps={"crash": "doesn't show its error log"}))
        assert "--check asks for it" in gaps(found)["check"]

    def test_engines_that_can_not_be_checked_are_left_out(self, inventory, planned):
        assert planned(inventory(crash=self.CRASH, tables=(table(engine="BLACKHOLE"),))).steps == ()


class TestStatistics:
    """Old and wrong."""

    def stored(self, rows, *, days=10.0):
        return {KEY: Statistics(rows=rows, updated=NOW - timedelta(days=days))}

    def test_old_and_wrong_ones_are_made_anew_on_this_server_alone(self, inventory, planned):
        found = planned(
            inventory(tables=(table(rows=50_000, options="stats_auto_recalc=0"),), statistics=self.stored(10))
        )
        assert statements(found) == ["ANALYZE NO_WRITE_TO_BINLOG TABLE `shop`.`orders`"]
        facts = [one.fact for one in found.steps[0].finding.evidence]
        assert facts[0] == "10 rows by statistics that are 10 days old"
        assert "STATS_AUTO_RECALC=0" in facts[2]

    @pytest.mark.parametrize(
        ("rows", "stored", "days"),
        [(50_000, 10, 0.5), (50_000, 45_000, 10), (900, 0, 10), (5_000, 5_000, 400)],
        ids=["young", "nearly right", "few rows", "old and right"],
    )
    def test_young_right_or_small_ones_are_left(self, inventory, planned, rows, stored, days):
        measured = inventory(tables=(table(rows=rows),), statistics=self.stored(stored, days=days))
        assert planned(measured).steps == ()

    def test_that_recalculation_is_switched_off_is_evidence(self, inventory, planned):
        measured = inventory(
            tables=(table(rows=50_000),), statistics=self.stored(10), variables={"innodb_stats_auto_recalc": "OFF"}
        )
        assert "innodb_stats_auto_recalc is OFF" in planned(measured).steps[0].finding.evidence[2].fact

    def test_without_the_right_they_are_a_gap(self, inventory, planned):
        found = planned(inventory(statistics=None, gaps={"statistics": "needs SELECT on mysql.innodb_table_stats"}))
        assert gaps(found)["statistics"] == "needs SELECT on mysql.innodb_table_stats"


A, B = index("a", "x"), index("b", "x", "y")


@pytest.mark.parametrize(
    ("one", "other", "covered"),
    [
        (A, B, True),
        (B, A, False),
        (index("a", "x"), index("b", "x"), False),
        (index("b", "x"), index("a", "x"), True),
        (index("a", "x", unique=True), B, False),
        (index("a", "x"), index("b", "x", unique=True), True),
        (index("a", "x", unique=True), index("b", "x"), False),
        (index("b", "x", unique=True), index("a", "x", unique=True), True),
        (index("a", "id"), PRIMARY, True),
        (PRIMARY, index("a", "id", "x"), False),
        (index("a", Column(name="x", length=5)), B, False),
        (index("a", Column(name="x", order="D")), B, False),
        (index("a", "x", kind="FULLTEXT"), index("b", "x", "y", kind="FULLTEXT"), False),
        (index("a", "x", used=False), B, False),
        (A, index("b", "x", "y", used=False), False),
        (A, index("b", "y", "x"), False),
    ],
)
def test_an_index_is_covered_by_one_that_begins_with_the_same_columns(one, other, covered):
    assert (duplicate_of(one, (one, other)) is other) is covered


class TestDuplicateIndexes:
    """Advice only."""

    @pytest.mark.parametrize(
        ("version", "first"),
        [
            ("9.7.0", "ALTER INDEX `a` INVISIBLE"),
            ("10.11.2-MariaDB", "ALTER INDEX `a` IGNORED"),
            ("10.5.2-MariaDB", "DROP INDEX `a`"),
        ],
    )
    def test_it_is_advised_with_a_way_to_try_and_never_a_step(self, inventory, planned, version, first):
        found = planned(inventory(version=version, indexes=(PRIMARY, A, B)))
        assert found.steps == ()
        (one,) = [one for one in found.advice if one.rule == "maintain-duplicate-indexes"]
        assert one.message == "index a of shop.orders is covered by b"
        assert first in one.remedy.commands[0]


class TestUnusedIndexes:
    """Never used while the server was up for long enough."""

    USED = {(KEY, ""): 5, (KEY, "PRIMARY"): 90, (KEY, "a"): 0}  # noqa: RUF012 - never changed

    def test_one_that_was_never_used_is_advised_on(self, inventory, planned):
        found = planned(inventory(indexes=(PRIMARY, A), uses=self.USED))
        assert [one.message for one in found.advice] == ["index a of shop.orders was never used"]

    def test_after_too_short_an_uptime_nothing_is_said(self, inventory, planned):
        found = planned(inventory(indexes=(PRIMARY, A), uses=self.USED, uptime=3600))
        assert found.advice == ()
        assert "up for 60 min" in gaps(found)["unused-indexes"]

    @pytest.mark.parametrize(
        "more",
        [
            {"uses": {(KEY, ""): 0, (KEY, "PRIMARY"): 0, (KEY, "a"): 0}},
            {"uses": {(KEY, "PRIMARY"): 9}},
            {"foreign": frozenset({(KEY, "x")})},
            {"indexes": (PRIMARY, index("a", "x", unique=True))},
            {"indexes": (PRIMARY, index("a", "x", used=False))},
        ],
        ids=["table unused", "not counted", "foreign key", "unique", "invisible already"],
    )
    def test_one_that_is_needed_or_not_known_is_left(self, inventory, planned, more):
        values = {"indexes": (PRIMARY, A), "uses": self.USED} | more
        assert planned(inventory(**values)).advice == ()

    def test_without_performance_schema_it_is_a_gap(self, inventory, planned):
        found = planned(inventory(uses=None, gaps={"uses": "needs performance_schema=ON"}))
        assert gaps(found) == {"unused-indexes": "needs performance_schema=ON"}


class TestPrimaryKeys:
    """A table that has nothing to tell its rows apart."""

    @pytest.mark.parametrize(
        ("found", "advised"),
        [
            ((), True),
            ((A,), True),
            ((index("u", Column(name="x", nullable=True), unique=True),), True),
            ((index("u", "x", unique=True),), False),
            ((PRIMARY,), False),
        ],
    )
    def test_one_is_missed_where_nothing_stands_for_it(self, inventory, planned, found, advised):
        assert ("primary-keys" in kinds(planned(inventory(indexes=found)))) is advised


class TestEngines:
    """Tables without transactions."""

    @pytest.mark.parametrize(
        ("engine", "advised"),
        [("MyISAM", True), ("Aria", True), ("MEMORY", True), ("InnoDB", False), ("BLACKHOLE", False)],
    )
    def test_a_table_without_transactions_is_named(self, inventory, planned, engine, advised):
        assert ("engines" in kinds(planned(inventory(tables=(table(engine=engine),))))) is advised

    def test_what_it_means_for_a_lost_connection_is_said(self, inventory, planned):
        (one,) = planned(inventory(tables=(table(engine="MyISAM"),))).advice
        assert "not continued after a loss" in one.why


class TestVersion:
    """How long the series gets fixes."""

    @pytest.mark.parametrize(
        ("version", "said", "severity"),
        [
            ("5.7.44", "MySQL 5.7 got its last fixes on 2023-10-31", Severity.WARNING),
            ("8.0.46", "MySQL 8.0 got its last fixes on 2026-04-30", Severity.WARNING),
            ("10.6.20-MariaDB", "MariaDB 10.6 gets fixes until 2026-07-06", Severity.INFO),
        ],
    )
    def test_a_series_that_ended_or_ends_soon_is_named(self, inventory, planned, version, said, severity):
        (one,) = planned(inventory(version=version)).advice
        assert one.message == said
        assert one.severity is severity

    @pytest.mark.parametrize("version", ["9.7.0", "8.4.8", "10.11.11-MariaDB", "11.8.2-MariaDB"])
    def test_one_with_years_left_is_not(self, inventory, planned, version):
        assert planned(inventory(version=version)).advice == ()

    def test_one_that_is_not_in_the_table_is_a_gap(self, inventory, planned):
        assert "MySQL 10.0.1" in gaps(planned(inventory(version="10.0.1")))["version"]

    def test_an_old_release_lacks_what_later_ones_say_about_lost_connections(self, inventory, planned):
        facts = [one.fact for one in planned(inventory(version="8.0.20")).advice[0].evidence]
        assert any("8.0.24" in fact and "4031" in fact for fact in facts)


def test_nothing_that_destroys_is_ever_a_step(inventory, planned):
    measured = inventory(
        tables=(table(engine="MyISAM", data=GIB, free=GIB), table(("shop", "t"), free=GIB, rows=50_000)),
        indexes=(A, B),
        files={("shop", "t"): 2 * GIB},
        statistics={("shop", "t"): Statistics(rows=1, updated=datetime(2026, 1, 1, tzinfo=UTC))},
        uses={(KEY, ""): 5, (KEY, "b"): 0},
        crash=TestCheck.CRASH,
    )
    found = planned(measured)
    assert {step.kind for step in found.steps} == {"check", "rebuild", "statistics"}
    assert not any(word in step.statement for step in found.steps for word in ("DROP", "ENGINE", "INVISIBLE", "ADD"))
    assert all(step.finding.evidence and step.finding.remedy.cost for step in found.steps)
