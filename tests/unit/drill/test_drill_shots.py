"""What is asked, and how an answer is judged."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from stillhere.lab.apps.matches.data import page
from stillhere.lab.drill.load import Bursts
from stillhere.lab.drill.shots import Kind, Outcome, ask, judge, kind_of, unanswered
from stillhere.lab.faults.base import Traffic


def answer(kind, status, told, headers=None, number=4):
    sent = ask(kind, number, "t-1", large=10)
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return judge(sent, 1.0, 1.5, status, headers or {}, body)


def test_the_right_page_is_good():
    assert answer(Kind.READ, 200, page(5)).outcome is Outcome.GOOD


@pytest.mark.parametrize(
    "told",
    [page(6), {**page(5), "log": page(5)["log"][:-1]}, {**page(5), "players": []}, {}, b"", b"[1]", b"<html>"],
    ids=["other match", "line missing", "no players", "empty object", "empty", "no object", "no JSON"],
)
def test_any_other_page_is_wrong(told):
    assert answer(Kind.READ, 200, told).outcome is Outcome.WRONG


def test_a_read_is_never_an_acknowledgement():
    assert not answer(Kind.READ, 200, page(5)).acknowledged


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.REMATCH, Kind.LARGE])
def test_created_with_our_token_is_an_acknowledgement(kind):
    assert answer(kind, 201, {"token": "t-1"}).acknowledged


def test_created_with_another_token_is_wrong_and_no_acknowledgement():
    seen = answer(Kind.WRITE, 201, {"token": "t-2"})
    assert (seen.outcome, seen.acknowledged) == (Outcome.WRONG, False)


def test_503_with_retry_after_is_unavailable_without_it_an_error():
    told = {"error": "ServerUnavailable", "named": True}
    assert answer(Kind.READ, 503, told, {"retry-after": "1"}).outcome is Outcome.UNAVAILABLE
    assert answer(Kind.READ, 503, told).outcome is Outcome.ERROR


def test_413_is_a_good_answer_to_what_is_too_large_and_to_nothing_else():
    told = {"error": "PacketTooLarge", "named": True}
    large, other = answer(Kind.LARGE, 413, told), answer(Kind.WRITE, 413, told)
    assert (large.outcome, large.refused, large.acknowledged, large.error) == (Outcome.GOOD, True, False, "")
    assert (other.outcome, other.refused) == (Outcome.ERROR, False)


def test_an_error_keeps_what_the_application_said():
    told = {"error": "OperationalError", "message": "(2013, 'Lost')", "named": False, "raw": True}
    seen = answer(Kind.WRITE, 500, told)
    assert (seen.outcome, seen.error, seen.raw, seen.named) == (Outcome.ERROR, "OperationalError", True, False)
    assert seen.says == "(2013, 'Lost')"


def test_an_error_page_without_json_has_its_status_for_a_name():
    assert answer(Kind.WRITE, 500, b"<h1>Internal Server Error</h1>").error == "HTTP 500"


def test_no_answer_is_an_error():
    seen = unanswered(ask(Kind.WRITE, 1, "t-1"), 1.0, 13.0, "no answer")
    assert (seen.outcome, seen.acknowledged, seen.token) == (Outcome.ERROR, False, "t-1")


@pytest.mark.parametrize(
    ("traffic", "wanted"),
    [
        (Traffic.MIXED, {Kind.READ, Kind.WRITE}),
        (Traffic.BURSTS, {Kind.READ, Kind.WRITE}),
        (Traffic.LARGE, {Kind.READ, Kind.WRITE, Kind.LARGE}),
        (Traffic.ISOLATION, {Kind.SCORE, Kind.WRITE}),
        (Traffic.SLOW_CALL, {Kind.REMATCH, Kind.READ, Kind.WRITE}),
    ],
)
def test_every_traffic_has_its_kinds_and_never_only_reads(traffic, wanted):
    assert set(Counter(kind_of(traffic, client, turn) for client in range(8) for turn in range(12))) == wanted


def test_bursts_are_followed_by_silence():
    bursts = Bursts(begin=10.0, on=1.0, off=2.0)
    assert [bursts.wait_from(now) for now in (10.0, 10.9, 11.0, 12.5, 13.0)] == [0.0, 0.0, 2.0, 0.5, 0.0]


def test_without_silence_there_is_no_waiting():
    assert Bursts(begin=10.0).wait_from(99.0) == 0.0
