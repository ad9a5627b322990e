"""Each case file, a text as somebody pastes it, gives exactly the facts in the file beside it: no more, no fewer."""

from __future__ import annotations

from io import BytesIO

import pytest
from trace_expectations import CASES, case_files, expected, shown

from stillhere.apptrace import Position, parse, read, sniff

FILES = case_files()
SECRETS = ("hunter2-secret", "s3cr3t-value")


def name(path):
    return path.stem


@pytest.mark.parametrize("case", FILES, ids=name)
def test_a_case_gives_its_facts_and_no_others(case):
    assert [shown(report) for report in parse(case.read_bytes())] == expected(case)


@pytest.mark.parametrize("case", FILES, ids=name)
def test_a_stream_gives_what_the_text_gives(case):
    text = case.read_bytes()
    assert list(read(BytesIO(text))) == list(read(case)) == parse(text.decode())


@pytest.mark.parametrize("case", FILES, ids=name)
def test_no_password_of_a_case_is_in_its_facts(case):
    facts = repr(parse(case.read_bytes()))
    assert [secret for secret in SECRETS if secret in facts] == []


@pytest.mark.parametrize("case", [path for path in FILES if not path.stem.startswith("silent")], ids=name)
def test_a_case_is_taken_for_an_applications_text(case):
    assert sniff(case.read_bytes()[:8192])


def test_every_expectation_belongs_to_a_case_and_there_are_cases_for_every_position():
    assert {path.stem for path in CASES.glob("*.toml")} == {path.stem for path in FILES}
    told = {report.get("position", "unknown") for path in FILES for report in expected(path)}
    assert {one.value for one in Position} - told == set()


def test_silent_cases_are_silent():
    silent = [path for path in FILES if path.stem.startswith("silent")]
    assert len(silent) > 2
    assert [path.stem for path in silent if expected(path)] == []


def test_the_leading_example_says_where_what_and_for_whom():
    (report,) = parse((CASES / "lead-flask-mysqlclient-2006.txt").read_bytes())
    assert (report.driver, report.errno, report.framework) == ("mysqlclient", 2006, "Flask")
    assert report.request == "GET /match/207465601/"
    assert report.statement.startswith("SELECT match.id AS match_id, match.name AS match_name")
    assert report.statement.endswith("FROM match WHERE match.id = %s")
    assert not report.executemany
    assert report.frame is not None
    assert (report.frame.path, report.frame.line) == ("/srv/tournament/tournament/views.py", 31)
    # Its frames show a statement; whether it was the first, only the log above it tells.
    assert report.position is Position.STATEMENT
    assert report.after_idle is None
    (report,) = parse((CASES / "lead-with-echo-first-statement.txt").read_bytes())
    assert report.position is Position.FIRST_STATEMENT
    assert report.after_idle is True
