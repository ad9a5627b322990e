"""The continuation table, compared over its whole space with the rows of the design, written down once more."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhere.continuity.continuation import (
    MAX_PER_STATEMENT,
    MAX_PER_TRANSACTION,
    Action,
    Call,
    Decision,
    Situation,
    decide,
)
from stillhere.continuity.statement import Kind
from stillhere.continuity.verdict import Verdict

NOT_SENT, MAYBE = Verdict.NOT_SENT, Verdict.MAYBE_EXECUTED
SENDING = {Action.RESEND, Action.RESEND_READ_ONLY, Action.REPLAY, Action.REPLAY_AND_COMMIT}
KINDS = {
    Call.STATEMENT: (Kind.READ, Kind.WRITE, Kind.SET, Kind.OTHER),
    Call.STREAM: (Kind.READ,),
    Call.COMMIT: (Kind.COMMIT,),
    Call.ROLLBACK: (Kind.ROLLBACK,),
}
FLAGS = [
    "may_commit", "replayable", "plain_session", "transactional", "begun", "writes", "spoiled", "pin", "client_timeout",
    "statement_killed", "transaction_killed", "poison", "replay_off", "witness",
]  # fmt: skip
TEXTS = {"spoiled", "pin", "veto"}


def statement(kind: Kind = Kind.READ, verdict: Verdict = MAYBE, **more) -> Situation:
    return Situation(call=Call.STATEMENT, verdict=verdict, kind=kind, **more)


def commit(verdict: Verdict, **more) -> Situation:
    return Situation(call=Call.COMMIT, verdict=verdict, kind=Kind.COMMIT, transactional=True, begun=True, **more)


def whole_space():
    """Every situation of the flags above; the others have tests of their own."""
    for call, kinds in KINDS.items():
        names = FLAGS if call in (Call.STATEMENT, Call.COMMIT) else [*FLAGS[3:9], "poison"]
        for values in itertools.product((False, True), repeat=len(names)):
            chosen = {name: (f"a {name}" if on else "") if name in TEXTS else on for name, on in zip(names, values)}  # noqa: B905
            if chosen.get("plain_session") and not chosen["replayable"]:
                continue
            if (chosen["writes"] or chosen["spoiled"]) and not chosen["begun"]:
                continue
            for verdict, kind in itertools.product(Verdict, kinds):
                if call is not Call.STATEMENT and (chosen.get("plain_session") or chosen.get("may_commit")):
                    continue
                yield Situation(call=call, verdict=verdict, kind=kind, **chosen)


# The rows of the table, from the top: the first whose condition holds decides.
ROWS = [
    (Action.TIMEOUT, lambda s: s.client_timeout),
    (Action.SUCCEED, lambda s: s.call is Call.ROLLBACK),
    (Action.STREAM_INTERRUPTED, lambda s: s.call is Call.STREAM),
    # an ambiguous COMMIT, and whatever may commit a transaction with writes
    (Action.SETTLE, lambda s: s.call is Call.COMMIT and ambiguous(s) and s.witness),
    (Action.COMMIT_UNKNOWN, lambda s: s.call is Call.COMMIT and ambiguous(s)),
    (Action.COMMIT_UNKNOWN, lambda s: s.call is Call.STATEMENT and s.may_commit and ambiguous(s)),
    # what may have been executed and would do something else the second time
    (Action.STATEMENT_UNKNOWN, lambda s: s.call is Call.STATEMENT and s.verdict is MAYBE and undoable(s) is False),
    # the session or the transaction can't be had again
    (Action.REFUSE, lambda s: s.pin or (s.begun and s.spoiled)),
    # a COMMIT of nothing, or of reads
    (Action.SUCCEED, lambda s: s.call is Call.COMMIT and not s.begun),
    (Action.CONFIRM_READS, lambda s: s.call is Call.COMMIT and not s.writes),
    # ended on purpose, or poison
    (Action.POISON, lambda s: s.poison and may_be_killed(s)),
    (Action.STATEMENT_KILLED, lambda s: s.statement_killed and may_be_killed(s)),
    (Action.TRANSACTION_KILLED, lambda s: s.transaction_killed and may_be_killed(s)),
    (Action.REFUSE, lambda s: s.begun and s.replay_off),
    (Action.REPLAY_AND_COMMIT, lambda s: s.call is Call.COMMIT),
    (Action.REPLAY, lambda s: s.begun),
    (Action.RESEND_READ_ONLY, lambda s: s.kind is Kind.READ and s.verdict is MAYBE and not s.transactional),
    (Action.RESEND, lambda _: True),
]


def ambiguous(s: Situation) -> bool:
    """Whether it may have committed something."""
    return s.begun and s.verdict is MAYBE and bool(s.writes or s.spoiled)


def undoable(s: Situation) -> bool:
    """Whether running it a second time is running it once."""
    if s.plain_session or (not s.begun and s.kind is Kind.READ):
        return True
    if s.may_commit or not s.replayable:
        return False
    return s.begun or s.transactional  # its first run went with the connection


def may_be_killed(s: Situation) -> bool:
    """Only what ran, or a transaction, can have been ended on purpose."""
    return s.begun or s.verdict is MAYBE


def test_every_situation_is_decided_as_the_table_says():
    seen = set()
    for situation in whole_space():
        expected = next(action for action, holds in ROWS if holds(situation))
        assert decide(situation).action is expected, situation
        seen.add(expected)
    assert seen == set(Action)


def situations():
    strategies = {}
    for field in fields(Situation):
        if field.name in ("call", "kind"):
            continue
        if field.name == "verdict":
            strategies[field.name] = st.sampled_from(Verdict)
        elif field.name in TEXTS:
            strategies[field.name] = st.sampled_from(["", f"some {field.name}"])
        elif field.name.endswith("continuations"):
            strategies[field.name] = st.integers(0, 4)
        else:
            strategies[field.name] = st.booleans()
    calls = st.sampled_from([(call, kind) for call, kinds in KINDS.items() for kind in kinds])
    return st.builds(lambda call, **more: Situation(call=call[0], kind=call[1], **more), calls, **strategies)


@settings(max_examples=400, deadline=None)
@given(situations())
def test_promises_that_hold_whatever_the_situation(s):
    action = decide(s).action
    if s.client_timeout:
        assert action is Action.TIMEOUT
    if s.call is Call.COMMIT and s.begun and (s.writes or s.spoiled):
        assert action is not Action.SUCCEED
    if s.call is Call.COMMIT and s.verdict is MAYBE and s.begun and (s.writes or s.spoiled):
        assert action not in SENDING
    if action in SENDING:
        assert not (s.pin)
        assert not (s.veto)
        assert not (s.refers_to_last)
        assert not (s.begun and (s.spoiled or s.replay_off or s.locks_expired))
        assert s.statement_continuations < MAX_PER_STATEMENT
        assert s.transaction_continuations < MAX_PER_TRANSACTION
        if s.verdict is MAYBE and not s.begun and not s.transactional:
            assert s.kind is Kind.READ or s.plain_session
        if s.verdict is MAYBE and s.begun and not s.plain_session:
            assert s.replayable
            assert not s.may_commit
        assert s.verdict is NOT_SENT or not (s.poison or s.statement_killed)
    if action is Action.CONFIRM_READS:
        assert s.statement_continuations < MAX_PER_STATEMENT
        assert s.transaction_continuations < MAX_PER_TRANSACTION
    if s.call is Call.STATEMENT:
        assert action not in {Action.SUCCEED, Action.CONFIRM_READS, Action.SETTLE, Action.REPLAY_AND_COMMIT}
    if action is Action.REFUSE:
        assert decide(s).reason


@settings(max_examples=150, deadline=None)
@given(situations())
def test_an_objection_never_makes_it_continue(s):
    plain = replace(s, veto="", pin="", replay_off=False, locks_expired=False)
    before = decide(plain)
    for objection in ({"veto": "no"}, {"pin": "a"}, {"replay_off": True}, {"locks_expired": True}):
        after = decide(replace(plain, **objection))
        assert before.action in SENDING or after.action not in SENDING
        assert after.action in (before.action, Action.REFUSE)


# -- one test for each row of the table in the design ----------------------------------------------------------------


def test_idle_without_transaction_or_pin_goes_on_unnoticed():
    assert decide(statement(verdict=NOT_SENT)) == Decision(Action.RESEND)


@pytest.mark.parametrize("kind", [Kind.READ, Kind.WRITE, Kind.OTHER, Kind.IMPLICIT_COMMIT])
def test_an_autocommitted_statement_not_sent_is_run(kind):
    assert decide(statement(kind, NOT_SENT, replayable=False, may_commit=True)).action is Action.RESEND


def test_an_autocommitted_read_is_run_again_read_only():
    assert decide(statement(Kind.READ)).action is Action.RESEND_READ_ONLY


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.OTHER, Kind.IMPLICIT_COMMIT])
def test_an_autocommitted_write_is_unknown(kind):
    assert decide(statement(kind)).action is Action.STATEMENT_UNKNOWN


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("kind", [Kind.READ, Kind.WRITE])
def test_a_statement_of_a_replayable_transaction_is_replayed(kind, verdict):
    assert decide(statement(kind, verdict, transactional=True, begun=True, writes=True)).action is Action.REPLAY


@pytest.mark.parametrize("kind", [Kind.IMPLICIT_COMMIT, Kind.BEGIN, Kind.SET])
def test_what_may_commit_a_transaction_with_writes_is_an_ambiguous_commit(kind):
    situation = statement(kind, transactional=True, begun=True, writes=True, may_commit=True, plain_session=True)
    assert decide(situation).action is Action.COMMIT_UNKNOWN
    assert decide(replace(situation, verdict=NOT_SENT)).action is Action.REPLAY


@pytest.mark.parametrize("verdict", Verdict)
def test_a_commit_of_reads_is_confirmed(verdict):
    assert decide(commit(verdict)).action is Action.CONFIRM_READS


def test_a_commit_not_sent_is_replayed_and_sent():
    assert decide(commit(NOT_SENT, writes=True)).action is Action.REPLAY_AND_COMMIT


def test_an_ambiguous_commit_with_a_witness_is_settled_also_where_it_cant_be_replayed():
    assert decide(commit(MAYBE, writes=True, witness=True)).action is Action.SETTLE
    assert decide(commit(MAYBE, writes=True, witness=True, spoiled="CALL")).action is Action.SETTLE


def test_an_ambiguous_commit_without_a_witness_is_unknown():
    assert decide(commit(MAYBE, writes=True)).action is Action.COMMIT_UNKNOWN
    assert decide(commit(MAYBE, spoiled="CALL")).action is Action.COMMIT_UNKNOWN


@pytest.mark.parametrize("verdict", Verdict)
def test_a_rollback_succeeds(verdict):
    situation = Situation(call=Call.ROLLBACK, verdict=verdict, kind=Kind.ROLLBACK, begun=True, writes=True, pin="a")
    assert decide(situation).action is Action.SUCCEED


def test_a_stream_is_interrupted():
    assert decide(Situation(call=Call.STREAM, verdict=MAYBE, kind=Kind.READ)).action is Action.STREAM_INTERRUPTED


@pytest.mark.parametrize("why", ["pin", "spoiled"])
def test_pinned_or_not_replayable_is_the_drivers_own_error_with_its_reason(why):
    decision = decide(statement(verdict=NOT_SENT, transactional=True, begun=True, **{why: "GET_LOCK"}))
    assert decision.action is Action.REFUSE
    assert "GET_LOCK" in decision.reason


def test_what_was_ended_on_purpose_stays_ended():
    assert decide(statement(statement_killed=True)).action is Action.STATEMENT_KILLED
    begun = statement(verdict=NOT_SENT, begun=True, transactional=True, transaction_killed=True)
    assert decide(begun).action is Action.TRANSACTION_KILLED
    assert decide(commit(NOT_SENT, writes=True, transaction_killed=True)).action is Action.TRANSACTION_KILLED


def test_the_clients_timeout_is_told_as_such():
    assert decide(statement(client_timeout=True)).action is Action.TIMEOUT


def test_a_poisonous_statement_is_not_sent_a_third_time():
    assert decide(statement(poison=True)).action is Action.POISON


@pytest.mark.parametrize("begun", [False, True])
def test_two_continuations_a_statement_and_three_a_transaction(begun):
    situation = statement(transactional=True, begun=begun)
    assert decide(replace(situation, statement_continuations=1, transaction_continuations=2)).action in SENDING
    assert "2 times" in decide(replace(situation, statement_continuations=2)).reason
    assert "3 times" in decide(replace(situation, transaction_continuations=3)).reason
