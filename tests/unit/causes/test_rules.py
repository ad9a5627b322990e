"""What holds for every rule, whatever it is asked."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from datetime import UTC, datetime, timedelta
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere import causes
from stillhere.apptrace.report import Position
from stillhere.causes import deaths, pages
from stillhere.causes.observations import ClientFacts, Observations
from stillhere.causes.rule import Certainty
from stillhere.causes.rules import RULES
from stillhere.errorlog.entry import Kind
from stillhere.errors import UnknownName
from stillhere.server import errorcodes

CATALOGUE = 38
SECRET = "hunter2"
EPOCH = datetime(2026, 3, 2, 9, tzinfo=UTC)
CODES = [0, *(line.code for line in errorcodes._TABLE)]
PHASES = ["", "CONNECT", "IDLE", "SEND", "AWAIT", "FETCH", "COMMIT"]
LIMITS = ["wait_timeout", "interactive_timeout", "max_allowed_packet", "idle_transaction_timeout", "max_connections"]
REASONS = ["Got timeout reading communication packets", "Got an error reading communication packets", "KILLED", ""]

numbers = st.floats(min_value=0, max_value=1e6) | st.sampled_from([0.0, 1.0, 60.0, 600.0])
times = st.floats(min_value=-900, max_value=900).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
texts = st.sampled_from(["", "app", f"SET PASSWORD = '{SECRET}'"])
OWN = {
    "codes": st.lists(st.sampled_from(CODES), max_size=2).map(tuple),
    "other_codes": st.lists(st.sampled_from(CODES), max_size=2).map(tuple),
    "code": st.sampled_from([4031, 1927, 1053, 1153]),
    "os_error": st.none() | st.sampled_from([32, 104, 110, 111, 113]),
    "phase": st.sampled_from(PHASES),
    "position": st.sampled_from(["", *Position.__members__]),
    "verdict": st.sampled_from(["", "NOT_SENT", "MAYBE_EXECUTED"]),
    "hangup": st.sampled_from(["", "FIN", "RST"]),
    "thread_id": st.sampled_from([0, 7, 8]),
    "reason": st.sampled_from(REASONS),
    "user": st.sampled_from(["", "app"]),
    "driver": st.sampled_from(["", "PyMySQL", "mysql-connector-python"]),
    "interrupted": st.sampled_from(["", "CancelledError"]),
    "host": st.sampled_from(["", "10.0.0.2"]),
    "message": st.sampled_from(["", f"Packet sequence number wrong - got 2 expected 1 '{SECRET}'"]),
    "frames": st.just(()),
    "notes": st.just(()),
    "sessions": st.none(),
    "transactions": st.none(),
    "variables": st.dictionaries(st.sampled_from(LIMITS), st.sampled_from(["0", "1", "600", "28800", "x"])).map(
        lambda found: {**found, "init_connect": f"SET wait_timeout = 5, @p = '{SECRET}'"}
    ),
}
PLAIN = {
    str: texts,
    bool: st.booleans(),
    int: st.integers(min_value=0, max_value=10**8),
    float: numbers,
    datetime: times,
}


def strategy(kind, name=""):  # noqa: PLR0911 - one return for each form of type
    """Anything that a field of this type may hold."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(one for one in arguments if one is not types.NoneType)
        return st.none() | (OWN[name] if name in OWN else strategy(inner, name))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if name in OWN and not dataclasses.is_dataclass(kind):
        return OWN[name]
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*(strategy(one) for one in arguments))
    if origin is tuple:
        return st.lists(strategy(arguments[0]), max_size=4).map(tuple)
    if kind in PLAIN:
        return PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(
            kind, **{field.name: strategy(hints[field.name], field.name) for field in dataclasses.fields(kind)}
        )
    return st.just({})  # a mapping that no rule reads by name


anything = strategy(Observations)


@given(anything)
def test_no_observation_makes_a_rule_raise_or_answer_without_evidence(seen):
    for rule in RULES:
        answer = rule.judge(seen)
        if answer is None:
            continue
        assert answer.cause == rule.name
        assert answer.evidence[0].supports
        assert all(fact.fact and fact.source for fact in answer.evidence), answer
        supports = [fact.supports for fact in answer.evidence]
        assert supports == sorted(supports, reverse=True), "what speaks for it comes first"
        assert answer.remedy.text.endswith(".")
        assert answer.sentence
        assert not answer.sentence.endswith(".")
        if answer.certainty is Certainty.PROVED:
            assert answer.settle == ()
        if answer.certainty is Certainty.POSSIBLE:
            assert answer.settle
        if answer.certainty in (Certainty.POSSIBLE, Certainty.UNLIKELY) and rule.name != "idle_timeout":
            assert re.search(r"^perhaps | may | is not known", answer.sentence)
        if answer.certainty is Certainty.UNLIKELY:
            assert not all(supports), "unlikely because of something measured"
        assert SECRET not in repr(answer)


@given(anything)
def test_what_is_named_is_alone_at_its_rank_and_at_least_likely(seen):
    explanation = causes.explain(seen)
    if explanation.named is not None:
        assert explanation.named.certainty in (Certainty.LIKELY, Certainty.PROVED)
        assert explanation.causes[0] is explanation.named


def test_where_nothing_was_seen_nobody_answers():
    assert [rule.name for rule in RULES if rule.judge(Observations()) is not None] == []


def test_every_row_of_the_catalogue_has_its_rule():
    rows = [rule.number for rule in RULES]
    assert sorted(rows) == list(range(1, CATALOGUE + 2))  # the last is the broken way, which the table has no row for
    assert RULES.get("network_lost").number == CATALOGUE + 1


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_a_rule_is_documented_under_the_headings(rule):
    text = inspect.cleandoc(type(rule).__doc__)
    found = [heading for heading in re.findall(r"^(\w[\w ]+):$", text, re.MULTILINE) if heading in pages.HEADINGS]
    assert found == list(pages.HEADINGS)
    assert text.partition("\n\n")[0].endswith(".")
    assert len(rule.title.split()) <= 6
    assert rule.reference


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_a_rule_lives_in_the_module_of_its_name_and_refines_known_causes(rule):
    assert type(rule).__module__.rpartition(".")[2] == rule.name
    assert set(rule.refines) <= set(RULES.names()) - {rule.name}


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_the_codes_that_a_rule_names_are_in_the_table(rule):
    source = inspect.getsource(inspect.getmodule(type(rule)))
    symbols = {line.name for line in errorcodes._TABLE}
    assert set(re.findall(r'"((?:ER|CR)_[A-Z0-9_]+)"', source)) <= symbols


def test_no_rule_makes_a_retry_of_a_refused_login_its_remedy():
    refused = RULES.get("access_denied").judge(Observations(client=ClientFacts(codes=(1045,))))
    assert "Don't retry" in refused.remedy.text


def test_a_cause_is_described_by_its_name():
    page = causes.describe("idle_timeout")
    assert page.startswith("# idle_timeout\n\n**Idle longer than wait_timeout.** ")
    assert all(f"## {heading}\n" in page for heading in pages.HEADINGS)


def test_an_unknown_cause_is_refused_with_the_list():
    with pytest.raises(UnknownName, match=r"unknown cause 'gremlins'; there are: access_denied, .*upgrade_refused"):
        causes.describe("gremlins")


def test_every_kind_of_log_line_but_other_is_read_by_somebody():
    modules = [inspect.getmodule(type(rule)) for rule in RULES]
    read = "\n".join(map(inspect.getsource, [*modules, deaths]))
    assert {kind for kind in Kind if f"Kind.{kind.name}" not in read} == {Kind.OTHER}
