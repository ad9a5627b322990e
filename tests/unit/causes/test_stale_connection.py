"""The report that everybody has seen: 2006 on a short SELECT by its key, of which only the traceback is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.apptrace.report import Position, Report
from stillhere.causes import UNKNOWN, explain
from stillhere.causes.observations import ClientFacts, LossFacts, Observations, PoolSettings, ServerFacts, SessionFacts
from stillhere.causes.rule import Certainty

STATEMENT = "SELECT matches.id AS matches_id, matches.title AS matches_title \nFROM matches \nWHERE matches.id = %s"
REPORT = Report(
    line=1,
    language="python",
    driver="mysqlclient",
    exception="MySQLdb.OperationalError",
    errno=2006,
    codes=(2006,),
    message="(2006, 'MySQL server has gone away')",
    statement=STATEMENT,
    statement_bytes=len(STATEMENT) + 8,
    framework="Flask",
    request="GET /match/207465601/",
    position=Position.FIRST_STATEMENT,
    after_idle=True,
)


AS_READ = replace(REPORT, statement_bytes=None, statement_at_least=118, position=Position.STATEMENT, after_idle=None)
"""The same where the frames don't show that it was the first statement, and the parameters' length isn't known."""


def seen(report=REPORT, **more):
    client = ClientFacts(driver=report.driver, exception=report.exception, codes=report.codes)
    return Observations(client=client, report=report, loss=LossFacts(position=report.position.name), **more)


@pytest.fixture
def explanation():
    return explain(seen())


def answer(explanation, name):
    return next(found for found in explanation.causes if found.cause == name)


def test_it_is_a_stale_pooled_connection_and_nothing_is_proved(explanation):
    assert [found.cause for found in explanation.causes] == [
        "idle_timeout",
        "session_timeout",
        "idle_dropped_on_the_way",
        "server_restart",
        "packet_too_large",
        "client_read_timeout",
    ]
    assert explanation.cause == "idle_timeout"
    assert explanation.named.sentence.startswith("a stale pooled connection")
    assert {found.certainty for found in explanation.causes[1:4]} == {Certainty.POSSIBLE}
    assert Certainty.PROVED not in {found.certainty for found in explanation.causes}


def test_a_packet_too_large_is_ruled_out_by_the_statements_size(explanation):
    large = answer(explanation, "packet_too_large")
    assert large.certainty is Certainty.UNLIKELY
    against = next(fact.fact for fact in large.evidence if not fact.supports)
    assert against.startswith(f"the statement is {REPORT.statement_bytes} bytes; the limit is at least 1 MiB")


def test_a_slow_query_is_ruled_out_because_nothing_was_sent(explanation):
    slow = answer(explanation, "client_read_timeout")
    assert slow.certainty is Certainty.UNLIKELY
    against = [fact.fact for fact in slow.evidence if not fact.supports]
    assert "2006 is raised when sending fails: this statement never ran, so that it was not slow" in against
    assert any("by its id" in fact for fact in against)


def test_it_says_what_would_settle_it(explanation):
    steps = " ".join(explanation.collect)
    assert "timeout" in steps
    assert "pool_recycle" in steps
    assert "error log" in steps
    assert "Uptime" in steps


def test_where_the_frames_do_not_show_the_first_statement_it_stands_first_and_is_not_named():
    found = explain(seen(AS_READ))
    assert found.cause == UNKNOWN
    assert [(one.cause, one.certainty.name) for one in found.causes] == [
        ("idle_timeout", "POSSIBLE"),
        ("session_timeout", "POSSIBLE"),
        ("idle_dropped_on_the_way", "POSSIBLE"),
        ("server_restart", "POSSIBLE"),
        ("packet_too_large", "UNLIKELY"),
        ("client_read_timeout", "UNLIKELY"),
    ]
    assert found.causes[0].sentence.startswith("a stale connection: it had died")
    against = [fact.fact for fact in answer(found, "packet_too_large").evidence if not fact.supports]
    assert against[0].startswith("the statement is 118 bytes and the id of one row; the limit is at least 1 MiB")


def test_a_statement_of_unknown_size_that_is_no_look_up_by_id_is_not_ruled_out():
    report = replace(AS_READ, statement="INSERT INTO matches (replay) VALUES (%s)")
    assert "packet_too_large" not in [found.cause for found in explain(seen(report)).causes]


def test_in_the_middle_of_work_the_pool_is_not_to_blame():
    report = Report(line=1, codes=(2006,), errno=2006, position=Position.STATEMENT, after_idle=False)
    assert explain(seen(report)).cause == UNKNOWN


def test_a_pool_that_pings_before_use_would_have_seen_it():
    assert explain(seen(pool=PoolSettings(pre_ping=True))).cause == UNKNOWN


def test_with_the_servers_limit_beside_the_pools_the_numbers_are_in_the_evidence():
    known = seen(pool=PoolSettings(recycle=-1, pre_ping=False), server=ServerFacts(variables={"wait_timeout": "600"}))
    found = answer(explain(known), "idle_timeout")
    assert "the pool replaces a connection never, wait_timeout is 600 s" in [fact.fact for fact in found.evidence]
    assert "pool_recycle=540" in found.remedy.commands[1]


def test_a_restart_shortly_before_in_the_log_takes_its_place():
    restarted = seen(session=SessionFacts(wait_timeout=28800), server=ServerFacts(restarted=True, uptime=120))
    found = explain(restarted)
    assert found.cause == UNKNOWN
    assert answer(found, "idle_timeout").certainty is Certainty.POSSIBLE
    assert answer(found, "server_restart").certainty is Certainty.POSSIBLE
