"""The same loss with another cause's evidence: the answer follows the evidence, not the exception."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from stillhere.causes import UNKNOWN, explain
from stillhere.causes.observations import (
    ClientFacts,
    LastWords,
    LossFacts,
    Observations,
    ProcessFacts,
    ServerFacts,
    SessionFacts,
)
from stillhere.errorlog.entry import Entry, Kind
from stillhere.server.versions import Flavour

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
UP = ServerFacts(flavour=Flavour.MARIADB, restarted=False, kills=0, thread_alive=False, uptime=9000)
AGAIN = replace(UP, restarted=True, kills=None, thread_alive=None, uptime=3)


def line(kind, second, **more):
    return Entry(kind=kind, line=10 + second, at=AT + timedelta(seconds=second), **more)


BEGUN, DONE, START = line(Kind.SHUTDOWN_BEGUN, -1), line(Kind.SHUTDOWN_DONE, 1), line(Kind.START, 4)

IN_FLIGHT = Observations(
    client=ClientFacts(driver="PyMySQL", codes=(2013,)),
    loss=LossFacts(at=AT, phase="AWAIT", verdict="MAYBE_EXECUTED", duration=0.5, idle=0.5, age=400.0),
    session=SessionFacts(thread_id=9, wait_timeout=28800),
)
IN_FLIGHT_EVIDENCE = {
    "killed": {"server": replace(UP, kills=1)},
    "network_lost": {"server": replace(UP, thread_alive=True)},
    "server_restart": {"server": AGAIN, "log": (BEGUN, DONE, START)},
    "unfinished_shutdown": {"server": AGAIN, "log": (BEGUN, START)},
    "crash": {"server": AGAIN, "log": (line(Kind.CRASH, 0, signal=11), START)},
    "innodb_hang": {"server": AGAIN, "log": (line(Kind.HANG, 0), line(Kind.CRASH, 0, signal=6), START)},
    "out_of_memory": {"server": AGAIN, "log": (line(Kind.OOM_KILL, 0), START)},
    "failover": {"server": ServerFacts(same=False)},
    "shared_after_fork": {"process": ProcessFacts(opened_in_process=1, used_in_process=2)},
    UNKNOWN: {"server": AGAIN},
}

IDLE = Observations(
    loss=LossFacts(at=AT, phase="IDLE", verdict="NOT_SENT", idle=45.0, age=400.0, in_transaction=False),
    session=SessionFacts(thread_id=9, wait_timeout=28800),
)
OPEN = replace(IDLE.loss, in_transaction=True)
IDLE_EVIDENCE = {
    "idle_timeout": {"session": SessionFacts(thread_id=9, wait_timeout=30), "server": UP},
    "session_timeout": {
        "session": SessionFacts(thread_id=9, wait_timeout=30),
        "server": replace(UP, variables={"wait_timeout": "28800"}),
    },
    "slow_work": {"session": SessionFacts(thread_id=9, wait_timeout=30), "server": UP, "loss": OPEN},
    "idle_transaction_timeout": {
        "loss": OPEN,
        "server": replace(UP, variables={"idle_transaction_timeout": "30"}),
    },
    "idle_dropped_on_the_way": {"server": replace(UP, thread_alive=True)},
    "killed": {"server": replace(UP, kills=1), "loss": replace(IDLE.loss, hangup="FIN")},
    "server_restart": {"server": AGAIN, "log": (BEGUN, DONE, START)},
    "crash": {"server": AGAIN, "log": (line(Kind.CRASH, 0, signal=11), START)},
    UNKNOWN: {},
}

CONNECTING = Observations(loss=LossFacts(at=AT, phase="CONNECT", duration=0.5))
CONNECTING_EVIDENCE = {
    name: {"client": ClientFacts(codes=(code,)), **more}
    for name, code, more in (
        ("handshake_lost", 2013, {}),
        ("network_lost", 2003, {"server": UP}),
        ("reverse_dns", 2013, {"log": (line(Kind.NAME_RESOLUTION, 0),)}),
        ("open_files", 2003, {"log": (line(Kind.ACCEPT_FAILED, 0),)}),
        ("upgrade_refused", 2003, {"log": (line(Kind.UPGRADE_REFUSED, 0),)}),
        ("crash", 2003, {"server": AGAIN, "log": (line(Kind.CRASH, 0, signal=11), START)}),
        ("too_many_connections", 1040, {}),
        ("account_limit", 1203, {}),
        ("thread_limit", 1135, {}),
        ("host_blocked", 1129, {}),
        ("access_denied", 1045, {}),
        ("tls", 2026, {}),
        ("server_restart", 1053, {}),
        (UNKNOWN, 2003, {}),
    )
}

OUT_OF_STEP = Observations(client=ClientFacts(codes=(2014,)), loss=LossFacts(phase="AWAIT"))
SAME = ProcessFacts(opened_in_process=1, used_in_process=1, used_by_two_at_once=False)
OUT_OF_STEP_EVIDENCE = {
    "shared_after_fork": {"process": replace(SAME, used_in_process=2)},
    "shared_between_threads": {"process": replace(SAME, used_by_two_at_once=True)},
    "interrupted_call": {"client": ClientFacts(codes=(2014,), interrupted="CancelledError")},
    "results_unread": {"process": SAME, "client": ClientFacts(codes=(2014,), buffered=False)},
    UNKNOWN: {},
}


def pairs():
    for base, evidence in (
        (IN_FLIGHT, IN_FLIGHT_EVIDENCE),
        (IDLE, IDLE_EVIDENCE),
        (CONNECTING, CONNECTING_EVIDENCE),
        (OUT_OF_STEP, OUT_OF_STEP_EVIDENCE),
    ):
        for one, other in permutations(evidence, 2):
            yield pytest.param(base, evidence[one], one, evidence[other], other, id=f"{one}-to-{other}")


@pytest.mark.parametrize(("base", "evidence", "cause", "swapped", "other"), list(pairs()))
def test_another_causes_evidence_gives_the_other_cause(base, evidence, cause, swapped, other):
    assert explain(replace(base, **evidence)).cause == cause
    found = explain(replace(base, **swapped))
    assert found.cause == other, [(a.cause, a.certainty.name, a.sentence) for a in found.causes]


def test_the_servers_own_word_stands_against_a_measurement():
    words = LastWords(code=4031, message="")
    seen = replace(IDLE, loss=replace(IDLE.loss, last_words=words), server=replace(UP, flavour=Flavour.MYSQL, kills=1))
    assert explain(seen).cause == "idle_timeout"


def test_silence_of_a_log_that_does_not_cover_the_moment_is_not_evidence():
    covered = explain(replace(IDLE, log_covers=True))
    uncovered = explain(IDLE)
    certainty = {answer.cause: answer.certainty.name for answer in covered.causes}
    assert certainty["server_restart"] == "UNLIKELY"
    assert {answer.cause: answer.certainty.name for answer in uncovered.causes}["server_restart"] == "POSSIBLE"


def test_a_counter_that_was_not_asked_is_not_a_counter_that_did_not_grow():
    unasked = explain(replace(IN_FLIGHT, server=replace(UP, kills=None, thread_alive=None)))
    assert unasked.cause == UNKNOWN
    assert explain(replace(IN_FLIGHT, server=replace(UP, thread_alive=None))).cause == "network_lost"
