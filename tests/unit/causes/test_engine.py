"""The ranking of causes: who is named, and when nobody is."""

from __future__ import annotations

from stillhere.causes.engine import UNKNOWN, explain
from stillhere.causes.observations import Observations
from stillhere.causes.rule import Attribution, Certainty, Rule
from stillhere.findings import Evidence, Remedy


def rule(name, certainty, *, refines=(), evidence=(True,), settle=()):
    class Stub(Rule):
        """Answers always the same."""

        title = name
        number = 0
        reference = ""

        def judge(self, _seen):
            if certainty is None:
                return None
            return Attribution(
                cause=name,
                certainty=certainty,
                sentence=name,
                evidence=tuple(Evidence("a fact", "a test", supports) for supports in evidence),
                remedy=Remedy("nothing"),
                settle=settle,
            )

    Stub.name = name
    Stub.refines = refines
    return Stub()


def asked(*rules):
    return explain(Observations(), rules)


def test_no_answer_is_unknown():
    explanation = asked(rule("silent", None))
    assert explanation.cause == UNKNOWN
    assert explanation.causes == ()


def test_the_surest_answer_is_named_and_stands_first():
    explanation = asked(rule("guess", Certainty.POSSIBLE), rule("sure", Certainty.PROVED))
    assert explanation.cause == "sure"
    assert [answer.cause for answer in explanation.causes] == ["sure", "guess"]


def test_what_is_only_possible_is_never_named():
    explanation = asked(rule("guess", Certainty.POSSIBLE, settle=("look there",)))
    assert explanation.cause == UNKNOWN
    assert explanation.collect == ("look there",)


def test_two_answers_of_the_same_rank_are_no_name():
    assert asked(rule("one", Certainty.LIKELY), rule("other", Certainty.LIKELY)).cause == UNKNOWN


def test_the_more_exact_of_two_that_agree_is_named():
    general = rule("crash", Certainty.PROVED)
    exact = rule("memory_kill", Certainty.PROVED, refines=("crash",))
    explanation = asked(general, exact)
    assert explanation.cause == "memory_kill"
    assert [answer.cause for answer in explanation.causes] == ["memory_kill", "crash"]


def test_a_weaker_refinement_does_not_replace_what_is_surer():
    general = rule("crash", Certainty.PROVED)
    exact = rule("memory_kill", Certainty.POSSIBLE, refines=("crash",))
    assert asked(general, exact).cause == "crash"


def test_a_guess_that_would_be_more_exact_stands_behind_the_general_guess_with_more_evidence():
    general = rule("idle_timeout", Certainty.POSSIBLE, evidence=(True, True))
    exact = rule("session_timeout", Certainty.POSSIBLE, refines=("idle_timeout",))
    assert [answer.cause for answer in asked(general, exact).causes] == ["idle_timeout", "session_timeout"]


def test_evidence_against_ranks_lower_among_equals():
    doubtful = rule("doubtful", Certainty.POSSIBLE, evidence=(True, False))
    plain = rule("plain", Certainty.POSSIBLE, evidence=(True,))
    assert [answer.cause for answer in asked(doubtful, plain).causes] == ["plain", "doubtful"]


def test_a_proof_needs_nothing_more_collected():
    explanation = asked(rule("sure", Certainty.PROVED), rule("guess", Certainty.POSSIBLE, settle=("look there",)))
    assert explanation.collect == ()


def test_what_to_collect_is_said_once():
    explanation = asked(
        rule("one", Certainty.POSSIBLE, settle=("the log", "the pool")),
        rule("other", Certainty.POSSIBLE, settle=("the log",)),
    )
    assert explanation.collect == ("the log", "the pool")
