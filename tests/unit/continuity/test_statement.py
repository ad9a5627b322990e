"""Classification, statement by statement, from the case files; then what no statement may do."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from stillhere.continuity.statement import Kind, Statement, classify

CASES = Path(__file__).parents[2] / "cases" / "statements"
FIELDS = {field.name for field in fields(Statement)}
FLAGS = {"replayable", "may_commit", "locking", "nowait", "refers_to_last"}
FLAGS |= {"consistent_snapshot", "chain_or_release"}


def cases() -> list[object]:
    """A statement, and below it ``    → KIND flag … name=value …``: what isn't named is false or empty."""
    found: list[object] = []
    for path in sorted(CASES.glob("*.txt")):
        sql = ""
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("## "):
                continue
            if line.startswith("    → "):
                found.append(pytest.param(sql, line[6:], id=f"{path.stem}-{number - 1}"))
            else:
                sql = line.replace("⏎", "\n").replace("␀", "\0")
    return found


def blankless(text: str) -> str:
    """Values in the case files have no blanks."""
    return text.replace(" ", "_")


@pytest.mark.parametrize(("sql", "expected"), cases())
def test_case(sql: str, expected: str) -> None:
    kind, *words = expected.split(" ")
    flags = {word for word in words if "=" not in word}
    values = dict(word.split("=", 1) for word in words if "=" in word)
    assert flags <= FLAGS, flags - FLAGS
    for form in (sql, sql.encode(), bytearray(sql.encode())):
        got = classify(form)
        assert got.kind is Kind[kind]
        assert {flag for flag in FLAGS if getattr(got, flag)} == flags
        assert blankless(got.pin) == values.get("pin", "")
        assert blankless(got.unpin) == values.get("unpin", "")
        assert str(got.autocommit) == values.get("autocommit", "None")
        assert bool(got.reason) is not got.replayable
        if "verb" in values:
            assert blankless(got.verb) == values["verb"]
        if "tables" in values and isinstance(form, str):
            assert blankless(",".join(got.tables)) == values["tables"]
        if "assigns" in values:
            assert got.assigns == tuple(values["assigns"].split(","))
