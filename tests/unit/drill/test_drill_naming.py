"""The causes that an arm named, against the one that was brought about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stillhere.causes.incidents import Store
from stillhere.causes.rules import RULES
from stillhere.events import Incident
from stillhere.lab.drill import naming as module
from stillhere.lab.drill.naming import Naming, naming, told
from stillhere.lab.drill.records import Verdict, decide, rows
from stillhere.lab.drill.table import closing
from stillhere.lab.faults import FAULTS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def incident(cause, certainty=0.75, server="db:1", at=NOW):
    return Incident(at=at, server=server, cause=cause, certainty=certainty, sentence=f"by {cause}", done="d")


@pytest.fixture
def struck(make_round, make_result, failing):
    """A round of a crash in which the stillhere arm named these causes."""

    def make(*incidents, cause="crash", also=frozenset()):
        ours = replace(make_result("stillhere"), naming=naming(incidents))
        return replace(make_round(make_result("stock", [failing]), ours), cause=cause, also=also)

    return make


def test_the_most_frequent_name_is_the_arms():
    found = naming([incident("crash"), incident("unknown"), incident("unknown"), incident("crash"), incident("killed")])
    assert found.cause == "crash"
    assert found.causes == {"crash": 2, "unknown": 2, "killed": 1}
    assert found.says["killed"] == "by killed"


def test_of_two_equally_frequent_names_the_surer_one_is():
    assert naming([incident("network_lost", 0.75), incident("too_many_connections", 0.95)]).cause == (
        "too_many_connections"
    )


def test_unknown_is_said_only_where_nothing_was_named():
    assert naming([incident("unknown"), incident("unknown"), incident("crash")]).cause == "crash"
    assert naming([incident("unknown")]).cause == "unknown"
    assert naming([]) == Naming()


def test_a_wrong_name_fails_the_drill_and_says_which(struck):
    decision = decide([struck(incident("crash"), incident("killed"))])
    assert decision.verdict is Verdict.FAILED
    assert decision.reasons == (
        "crash on mariadb: the stillhere arm named killed for 1 incident, where the cause was crash: by killed",
    )


def test_an_unknown_cause_is_a_remark(struck):
    decision = decide([struck(incident("crash"), incident("unknown"), incident("unknown"))])
    assert decision.verdict is Verdict.PASSED
    assert decision.remarks == ("crash on mariadb: the stillhere arm found no cause for 2 incidents",)


def test_what_a_fault_brings_about_on_the_way_is_no_wrong_name(struck):
    assert decide([struck(incident("server_restart"), also=frozenset({"server_restart"}))]).verdict is Verdict.PASSED


def test_a_fault_that_loses_nothing_has_no_right_name(struck):
    assert decide([struck(cause="")]).verdict is Verdict.PASSED
    assert decide([struck(incident("crash"), cause="")]).verdict is Verdict.FAILED


def test_the_json_has_the_name_and_the_counts(struck):
    stock, ours = rows([struck(incident("crash"), incident("unknown"))])
    assert (stock["cause"], stock["causes"]) == ("", {})
    assert (ours["cause"], ours["causes"]) == ("crash", {"crash": 1, "unknown": 1})


def test_the_closing_lines_count_right_unknown_and_wrong_names(struck):
    rounds = [struck(incident("crash"), incident("crash"), incident("unknown"), incident("killed"))]
    assert "2 causes named rightly    1 unknown    1 wrong" in closing(rounds, decide(rounds)).plain


def test_every_fault_names_a_cause_that_there_is():
    names = {*RULES.names(), ""}
    assert {fault.cause for fault in FAULTS} | {name for fault in FAULTS for name in fault.also} <= names


def test_only_what_was_met_in_this_round_at_this_address_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_QUIET", 0.0)
    store = Store(tmp_path / "incidents.sqlite3")
    mine = incident("crash")
    store.add([mine, incident("killed", server="db:2"), incident("killed", at=NOW - timedelta(seconds=9))])
    monkeypatch.setattr(module, "_QUIET", 0.15)
    found = told({"stillhere": tmp_path, "witness": tmp_path / "none"}, {"stillhere": "db:1", "witness": "db:1"}, NOW)
    assert found == {"stillhere": [mine], "witness": []}
