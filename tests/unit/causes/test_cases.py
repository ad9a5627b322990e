"""Every case of ``tests/cases/causes`` against every rule: the one that fits is named, and no other claims it."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest

from stillhere.causes import UNKNOWN, explain
from stillhere.causes.observations import Observations
from stillhere.causes.rule import Certainty
from stillhere.causes.rules import RULES

FOLDER = Path(__file__).parents[2] / "cases" / "causes"
SURE = {Certainty.LIKELY, Certainty.PROVED}


@dataclasses.dataclass(frozen=True)
class Case:
    """One situation: what was seen, and what must come of it.

    ``named`` is the cause that must be named, or ``unknown``. ``answers`` gives the certainty that a rule must have, or
    ``silent``. The file's own cause is the one that the case is about: it is either the one named, or looks like it.
    """

    about: str
    title: str
    seen: Observations
    named: str
    answers: Mapping[str, str]

    def __str__(self):
        return f"{self.about}: {self.title}"


def build(kind, value):
    """A value of a TOML file as the field's type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return build(next(one for one in arguments if one is not types.NoneType), value)
    if origin is tuple:
        return tuple(build(arguments[0], one) for one in value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: build(hints[name], one) for name, one in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[value]
    return float(value) if kind is float else value


def load(path):
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    for table in tables:
        rest = {name: value for name, value in table.items() if name not in ("title", "named", "answers")}
        yield Case(path.stem, table["title"], build(Observations, rest), table["named"], table.get("answers", {}))


CASES = [case for path in sorted(FOLDER.glob("*.toml")) for case in load(path)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_cause_that_fits_is_named_and_no_other_claims_it(case):
    explanation = explain(case.seen)
    answers = {answer.cause: answer for answer in explanation.causes}
    assert explanation.cause == case.named, [(a.cause, a.certainty.name, a.sentence) for a in explanation.causes]
    for name, certainty in case.answers.items():
        found = answers[name].certainty.name if name in answers else "silent"
        assert found == certainty, f"{name} is {found}"
    if case.named != UNKNOWN:
        claimed = {name for name, answer in answers.items() if answer.certainty in SURE} - {case.named}
        assert claimed <= generalisations(case.named)


def generalisations(name):
    found, open_ = set(), [name]
    while open_:
        for general in RULES.get(open_.pop()).refines:
            if general not in found:
                found.add(general)
                open_.append(general)
    return found


@pytest.mark.parametrize("name", RULES.names())
def test_each_cause_is_named_at_least_twice_and_passed_over_at_least_once(name):
    about = [case for case in CASES if case.about == name]
    assert sum(case.named == name for case in about) >= 2
    assert any(case.named != name for case in about)


def test_every_case_file_is_named_after_a_cause():
    assert {case.about for case in CASES} <= set(RULES.names())
