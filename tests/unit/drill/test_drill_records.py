"""The decision about a drill, and its JSON."""

from __future__ import annotations

import json

from stillhere.lab.drill.check import WHOLE, Found
from stillhere.lab.drill.records import Verdict, decide, rows
from stillhere.lab.drill.shots import Outcome

KEYS = "fault, server, driver, arm, requests, errors, unavailable, wrong, lost, doubled, recovery_ms, longest_ms"


def test_stock_fails_and_stillhere_does_not_passes(make_round, make_result, make_shot, failing):
    decision = decide([make_round(make_result("stock", [failing]), make_result("stillhere", [make_shot("a")]))])
    assert (decision.verdict, decision.reasons, decision.remarks) == (Verdict.PASSED, (), ())


def test_named_errors_of_stillhere_pass(make_round, make_result, make_shot, failing):
    named = make_shot("a", outcome=Outcome.ERROR, error="CommitOutcomeUnknown", named=True)
    decision = decide([make_round(make_result("stock", [failing]), make_result("stillhere", [named]))])
    assert (decision.verdict, decision.remarks) == (Verdict.PASSED, ())


def test_a_lost_write_of_stillhere_fails(make_round, make_result, make_shot):
    decision = decide([make_round(make_result("stillhere", [make_shot("a")], {}))])
    assert decision.verdict is Verdict.FAILED
    assert decision.reasons == ("crash on mariadb: the stillhere arm has 1 lost write",)


def test_a_doubled_write_of_stillhere_fails(make_round, make_result, make_shot):
    found = {"a": Found(*(2 * count for count in WHOLE))}
    assert decide([make_round(make_result("stillhere", [make_shot("a")], found))]).verdict is Verdict.FAILED


def test_a_half_write_of_stillhere_fails(make_round, make_result, make_shot):
    found = {"a": WHOLE._replace(lines=0)}
    assert decide([make_round(make_result("stillhere", [make_shot("a")], found))]).verdict is Verdict.FAILED


def test_a_raw_driver_error_of_stillhere_fails(make_round, make_result, failing):
    decision = decide([make_round(make_result("stillhere", [failing]))])
    assert decision.verdict is Verdict.FAILED
    assert "1 raw driver error" in decision.reasons[0]


def test_what_others_lose_is_no_failure(make_round, make_result, make_shot):
    decision = decide([make_round(make_result("recipe", [make_shot("a")], {}), make_result("stillhere"))])
    assert decision.verdict is Verdict.PASSED


def test_a_fault_that_harms_no_arm_makes_the_drill_void(make_round, make_result, make_shot, failing):
    struck = make_round(make_result("stock", [failing]))
    silent = make_round(make_result("stock", [make_shot("a")]), make_result("stillhere"), fault="outage")
    decision = decide([struck, silent])
    assert decision.verdict is Verdict.VOID
    assert decision.reasons == ("outage on mariadb: no arm noticed anything, so the fault did not happen",)


def test_a_broken_promise_weighs_more_than_a_silent_fault(make_round, make_result, make_shot):
    rounds = [make_round(make_result("stillhere", [make_shot("a")], {})), make_round(make_result("stock"))]
    decision = decide(rounds)
    assert decision.verdict is Verdict.FAILED
    assert len(decision.reasons) == 2


def test_stillhere_alone_proves_nothing_about_the_fault(make_round, make_result, make_shot):
    assert decide([make_round(make_result("stillhere", [make_shot("a")]))]).verdict is Verdict.PASSED


def test_a_fault_of_latency_shows_in_how_long_requests_take(make_round, make_result, make_shot):
    before = [make_shot(begun=0.1, ended=0.11)]
    slow, quick = [make_shot(begun=1.1, ended=1.3)], [make_shot(begun=1.1, ended=1.112)]
    assert make_round(make_result("stock", before + slow), slow=True).shows
    assert not make_round(make_result("stock", before + quick), slow=True).shows
    assert not make_round(make_result("stock", before + slow)).shows


def test_an_error_that_stillhere_did_not_name_is_remarked(make_round, make_result, make_shot, failing):
    hung = make_shot("a", outcome=Outcome.ERROR, error="no answer")
    decision = decide([make_round(make_result("stock", [failing]), make_result("stillhere", [hung]))])
    assert decision.verdict is Verdict.PASSED
    assert decision.remarks == ("crash on mariadb: 1 no answer in the stillhere arm, which it did not name",)


def test_the_json_is_an_object_for_each_fault_server_and_arm(make_round, make_result, failing):
    rounds = [
        make_round(make_result("stock", [failing]), make_result("recipe")),
        make_round(make_result("stock", recovery_ms=None), server="mysql"),
    ]
    objects = json.loads(json.dumps(rows(rounds)))
    assert [(one["server"], one["arm"]) for one in objects] == [
        ("mariadb", "stock"),
        ("mariadb", "recipe"),
        ("mysql", "stock"),
    ]
    assert list(objects[0])[:12] == KEYS.split(", ")
    assert objects[2]["recovery_ms"] is None
    assert objects[0]["raw"] == 1
    assert objects[0]["unnamed"] == {"OperationalError": 1}


def test_a_drill_without_stillhere_claims_nothing_about_it(make_round, make_result, failing):
    assert "took no part" in decide([make_round(make_result("stock", [failing]))]).sentence
