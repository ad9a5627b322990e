"""One incident for each loss: what was seen of it, what is asked about it, how it is told, and that nobody waits."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from stillhere import events
from stillhere.causes.observations import LastWords
from stillhere.continuity import telling
from stillhere.continuity.dossier import Answers, Dossier, Sample
from stillhere.continuity.facts import UNKNOWN_FACTS
from stillhere.continuity.gate import GateWait
from stillhere.continuity.gatekeeping import GateState
from stillhere.continuity.observed import Knowledge, knowledge_of, observations
from stillhere.continuity.sighting import Sighting, chain_of, decode_farewell
from stillhere.continuity.states import LinkState
from stillhere.continuity.verdict import Phase, Verdict
from stillhere.continuity.visits import Visit, note_wait
from stillhere.errors import CommitOutcomeUnknown, PacketTooLarge, ServerUnavailable
from stillhere.testing.fake_driver import FAKE, OperationalError, SSCursor
from stillhere.testing.fake_server import Step
from stillhere.testing.fake_tables import ServerError

BEFORE = replace(UNKNOWN_FACTS, identity="a", thread_id=10, user="app", host="h:1", uptime=1000, learned_at=50.0)
AFTER = replace(BEFORE, thread_id=20, uptime=1010, learned_at=60.0, opening_at=59.0)


def packet(text=b"too slow", code=4031, state=b"#HY000"):
    """An ERR packet: length, sequence number, 0xFF, the number, SQLSTATE, text."""
    payload = b"\xff" + code.to_bytes(2, "little") + state + text
    return len(payload).to_bytes(3, "little") + b"\x00" + payload


def seen(**changes):
    facts = {"server": "s", "driver": "fake", "phase": Phase.IDLE, "verdict": Verdict.NOT_SENT, "lost": BEFORE}
    return Sighting(**{**facts, "found_at": 55.0, "alive_at": 54.0, **changes})


def told(rig):
    return [event for event in rig.events if isinstance(event, events.Incident)]


# -- what was seen ------------------------------------------------------------------------------------------


def test_a_farewell_is_read():
    assert decode_farewell(packet()) == LastWords(code=4031, message="too slow")
    assert decode_farewell(packet(state=b"", code=1040)) == LastWords(code=1040, message="too slow")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(packet()[:-1], id="cut off"),
        pytest.param(packet() + b"x", id="something behind it"),
        pytest.param(b"\x17\x03\x03\x00\x1a" + b"\x00" * 26, id="a record of TLS"),
        pytest.param(b"\x07\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00", id="an OK packet"),
        pytest.param(b"\x01\x00\x00\x00\xff", id="no number"),
    ],
)
def test_what_is_no_farewell_is_unknown(words):
    assert decode_farewell(words) is None


def test_the_systems_error_below_the_drivers_is_found():
    error = OperationalError(2013, "lost")
    error.__context__ = ConnectionResetError(104, "reset")
    assert chain_of(FAKE, error) == ((2013,), 104)


def test_an_earlier_loss_that_was_being_handled_is_not_this_ones():
    error = OperationalError(2003, "refused")
    error.__context__ = OperationalError(2013, "lost")
    assert chain_of(FAKE, error) == ((2003,), None)


def test_a_chain_without_end_is_followed_no_further():
    error = OperationalError(2013, "lost")
    error.__cause__ = error
    assert chain_of(FAKE, error) == ((2013,), None)


def test_a_farewell_found_in_the_socket_names_the_loss(make_rig, server, run, idle):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    idle(connection)
    server.cut(words=packet())
    run(connection, "SELECT x FROM t")
    [incident] = told(rig)
    assert (incident.cause, incident.certainty) == ("idle_timeout", 0.95)
    assert incident.done == "Replaced; nothing lost"


# -- one incident for each loss --------------------------------------------------------------------------------


def test_a_loss_that_is_continued_is_one_incident_and_one_record(make_rig, server, run, caplog):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT")
    with caplog.at_level(logging.INFO, "stillhere"):
        run(connection, "SELECT x FROM t WHERE id = 2")
    [incident] = told(rig)
    [record] = [record for record in caplog.records if record.name == "stillhere"]
    assert (incident.phase, incident.errno, incident.statement, incident.error) == ("AWAIT", 2013, "SELECT", "")
    assert incident.done == "Replaced, and the read run again; nothing lost"
    assert record.levelno == logging.INFO
    assert record.msg.startswith("stillhere.incident ")
    assert record.stillhere["event"] == "stillhere.incident"
    assert record.stillhere["cause"] == incident.cause


def test_a_loss_that_is_refused_is_a_warning_and_a_note(make_rig, server, run, caplog):
    rig = make_rig(incidents=False)
    connection = rig.connect()
    run(connection, "UPDATE t SET x = 5 WHERE id = 1")
    server.break_at(Step.REPLY, b"COMMIT")
    with pytest.raises(CommitOutcomeUnknown) as caught:
        connection.commit()
    [incident] = told(rig)
    [note] = caught.value.__notes__
    assert incident.error == "CommitOutcomeUnknown"
    assert note.startswith("stillhere: cause unknown: lost while COMMIT was waiting for its reply (error 2013). ")
    assert "To find out: SHOW GLOBAL STATUS" in note
    assert "Not sent again: it may have been committed." in note
    assert [record.levelname for record in caplog.records if record.name == "stillhere"] == ["WARNING"]


def test_a_call_that_loses_two_connections_makes_two_incidents(make_rig, server, run):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    server.break_at(Step.REPLY, b"SELECT x", times=2)
    run(connection, "SELECT x FROM t")
    assert [one.thread_id for one in told(rig)] == [8, 9]
    assert {one.error for one in told(rig)} == {""}


def test_an_answer_of_the_server_after_a_loss_is_no_refusal(make_rig, server, run, idle):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    server.cut()
    idle(connection)
    server.answer(b"INSERT", ServerError(1062, "Duplicate entry"))
    with pytest.raises(Exception, match="Duplicate") as caught:
        run(connection, "INSERT INTO t (id, x) VALUES (1, 1)")
    [incident] = told(rig)
    assert incident.error == ""
    assert "the server answered it" in incident.done
    assert not hasattr(caught.value, "__notes__")


def test_a_stream_that_breaks_is_an_incident_with_a_note(make_rig, server, run):
    rig = make_rig(incidents=False)
    connection = rig.connect(autocommit=True)
    cursor = run(connection, "SELECT x FROM t", cursor=SSCursor)
    server.break_at(Step.ROWS, b"fetch")
    with pytest.raises(Exception, match="rows were still being read") as caught:
        cursor.fetchall()
    [incident] = told(rig)
    assert (incident.phase, incident.error) == ("FETCH", "StreamInterrupted")
    assert len(caught.value.__notes__) == 1


def test_a_statement_that_is_too_large_is_an_incident_though_nothing_is_lost(make_rig, server, run):
    rig = make_rig(incidents=False)
    server.max_allowed_packet = 1024
    connection = rig.connect(autocommit=True)
    with pytest.raises(PacketTooLarge):
        run(connection, f"SELECT '{'x' * 2000}'")
    [incident] = told(rig)
    assert (incident.cause, incident.phase, incident.done) == (
        "packet_too_large", "SEND", "Not sent; the connection lives",
    )  # fmt: skip
    assert connection._stillhere.state is LinkState.READY


def test_a_connection_that_died_in_its_pool_is_an_incident(make_rig, server):
    rig = make_rig(incidents=False)
    link = rig.connect()._stillhere
    server.cut()
    assert link.leave_pool() is False
    [incident] = told(rig)
    assert incident.phase == "IDLE"
    assert incident.done.startswith("Noticed in the pool")


def test_one_that_came_near_its_limit_is_told_as_replaced_in_time(make_rig, server, idle):
    rig = make_rig(incidents=False)
    server.wait_timeout = 100
    connection = rig.connect()
    idle(connection, 95.0)
    assert connection._stillhere.leave_pool() is False
    [incident] = told(rig)
    assert incident.done.startswith("Replaced before it was cut")


def test_a_connection_that_leaves_its_pool_alive_is_none(make_rig):
    rig = make_rig(incidents=False)
    assert rig.connect()._stillhere.leave_pool() is True
    assert told(rig) == []


def test_a_server_that_was_waited_for_is_an_incident(make_rig, server):
    rig = make_rig(incidents=False)
    server.break_at(Step.CONNECT, error=2003)
    rig.connect()
    [incident] = told(rig)
    assert (incident.phase, incident.errno, incident.error) == ("CONNECT", 2003, "")
    assert incident.done.startswith("Waited 0.")


@pytest.mark.parametrize(("state", "count"), [(GateState.DOWN, 1), (GateState.PROBING, 1), (GateState.UP, 0)])
def test_who_only_waited_for_a_server_that_is_away_has_an_incident_too(make_rig, state, count):
    rig = make_rig(incidents=False)
    with Visit(rig.endpoint, lambda: None, BEFORE) as visit:
        note_wait(GateWait(state, 1, 0.5, OperationalError(1040, "Too many connections")))
        visit.served(AFTER)
    assert [one.errno for one in told(rig)] == [1040] * count


def test_a_server_that_did_not_come_back_in_time_is_an_incident_with_a_note(make_rig, server):
    rig = make_rig(incidents=False, ride_through=0.05)
    server.down = 1040
    with pytest.raises(ServerUnavailable) as caught:
        rig.connect()
    [incident] = told(rig)
    assert (incident.cause, incident.error) == ("too_many_connections", "ServerUnavailable")
    assert caught.value.__notes__[0].startswith("stillhere: ")


def test_a_refusal_that_waiting_can_not_mend_is_told_on_the_drivers_error(make_rig, server):
    rig = make_rig(incidents=False)
    server.down = 1045
    with pytest.raises(OperationalError) as caught:
        rig.connect()
    assert [one.errno for one in told(rig)] == [1045]
    assert len(caught.value.__notes__) == 1


def test_passwords_are_masked_in_notes_and_incidents(make_rig, server, monkeypatch):
    rig = make_rig(incidents=False)
    monkeypatch.setattr(telling, "sentence", lambda *_: "SET PASSWORD = 'hunter2' was sent")
    server.down = 1045
    with pytest.raises(OperationalError) as caught:
        rig.connect()
    assert "hunter2" not in repr(caught.value.__notes__) + repr(told(rig))


# -- what is known beside it ---------------------------------------------------------------------------------


def test_losses_within_a_second_are_counted_and_the_others_codes_kept():
    dossier = Dossier("s")
    here = seen(found_at=55.0)
    losses = [(8, 54.5, (1053,)), (9, 55.9, ()), (11, 57.0, (4031,))]
    for thread, at, codes in losses:
        dossier.note_loss(seen(lost=replace(BEFORE, thread_id=thread), found_at=at, codes=codes))
    dossier.note_loss(here)
    assert dossier.others(here) == (2, (1053,))


def test_what_is_no_loss_of_a_connection_is_not_counted_as_one():
    dossier = Dossier("s")
    for one in (seen(phase=Phase.CONNECT), seen(phase=Phase.SEND), seen(proactive=True), seen(interrupted="Timeout")):
        dossier.note_loss(one)
    assert dossier.others(seen(lost=AFTER)) == (0, ())


def test_earlier_idle_losses_do_not_include_this_one():
    dossier = Dossier("s")
    for idle in (300.0, 301.0):
        dossier.note_loss(seen(idle=idle))
    here = seen(idle=302.0)
    dossier.note_loss(here)
    assert dossier.earlier_idle(here) == (300.0, 301.0)


def sample(at, facts=BEFORE, kills=3, least=0, most=None, **counters):
    return Sample(at=at, facts=facts, kills=kills, own_least=least, own_most=most or least, counters=counters)


def window_of(*samples):
    dossier = Dossier("s")
    for one in samples:
        dossier.note_sample(one)
    return knowledge_of(dossier, seen())


def test_kills_are_counted_from_before_it_was_last_good_until_after_its_loss():
    known = window_of(sample(52.0, kills=1), sample(53.0), sample(54.5, kills=4), sample(56.0, AFTER, 5), sample(57.0))
    assert observations(seen(), known).server.kills == 2


def test_kills_during_an_attempt_to_connect_are_counted_to_its_end():
    here = seen(phase=Phase.CONNECT, found_at=54.0, duration=2.0)
    dossier = Dossier("s")
    for one in (sample(53.0), sample(55.0, AFTER), sample(57.0, AFTER, kills=4)):
        dossier.note_sample(one)
    assert observations(here, knowledge_of(dossier, here)).server.kills == 1


def test_our_own_kills_are_left_out_however_the_counting_raced():
    known = window_of(sample(53.0, least=1, most=2), sample(56.0, AFTER, 5, least=2, most=3))
    assert observations(seen(), known).server.kills == 0


def test_without_counters_from_before_nothing_is_known_of_kills():
    assert observations(seen(), window_of(sample(54.5), sample(56.0, AFTER))).server.kills is None


def test_counters_from_just_before_its_last_reply_may_have_its_kill_already():
    assert observations(seen(), window_of(sample(53.9), sample(56.0, AFTER))).server.kills is None
    assert observations(seen(), window_of(sample(53.7), sample(56.0, AFTER))).server.kills == 0


def test_counters_of_two_lives_of_the_server_are_not_compared():
    restarted = replace(AFTER, thread_id=3, uptime=1)
    assert observations(seen(), window_of(sample(53.0), sample(56.0, restarted, 0))).server.kills is None


def test_a_kill_within_a_window_of_hours_may_have_struck_anybody():
    here = seen(alive_at=5000.0, found_at=5001.0)
    early, late = sample(50.0), sample(5002.0, replace(AFTER, uptime=6000, learned_at=5002.0, opening_at=5001.5), 4)
    assert observations(here, Knowledge(window=(early, late))).server.kills is None
    assert observations(here, Knowledge(window=(early, replace(late, kills=3)))).server.kills == 0


def test_counters_grow_over_the_window():
    known = window_of(sample(53.0, aborted_clients=7, gone=1), sample(56.0, AFTER, aborted_clients=9))
    assert observations(seen(), known).server.deltas == {"aborted_clients": 2}


@pytest.mark.parametrize(
    ("threads", "facts", "expected"),
    [
        (frozenset({(10, "app", "h:1")}), AFTER, True),
        (frozenset({(10, "app", "h:2")}), AFTER, False),
        (frozenset(), AFTER, False),
        (frozenset(), replace(AFTER, thread_id=3, uptime=1), None),
        (frozenset(), replace(AFTER, identity="b"), None),
    ],
)
def test_whether_its_thread_is_still_there(threads, facts, expected):
    known = Knowledge(answers=Answers(sample=sample(56.0, facts), threads=threads))
    assert observations(seen(), known).server.thread_alive is expected


def test_a_server_that_could_not_be_reached_right_after_it():
    dossier = Dossier("s")
    dossier.note_failure(56.0, unreachable=True)
    assert observations(seen(), knowledge_of(dossier, seen())).server.unreachable is True
    assert observations(seen(after=AFTER), knowledge_of(Dossier("s"), seen(after=AFTER))).server.unreachable is False
    assert observations(seen(), knowledge_of(Dossier("s"), seen())).server.unreachable is None


def test_kills_are_held_against_the_connections_that_were_lost_meanwhile():
    dossier = Dossier("s")
    dossier.note_sample(sample(53.0))
    for thread, (at, codes) in enumerate([(53.5, ()), (54.5, ()), (54.6, (4031,)), (55.0, (2013,)), (57.0, ())]):
        dossier.note_loss(seen(lost=replace(BEFORE, thread_id=thread), found_at=at, codes=codes))
    dossier.note_sample(sample(56.0, AFTER, 4))
    facts = observations(seen(), knowledge_of(dossier, seen())).server
    assert (facts.kills, facts.lost_meanwhile) == (1, 2)
