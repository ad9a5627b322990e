"""How far a run came is written down whole, and only by the ways that there are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stillhere.errors import ConfigurationError
from stillhere.maintain.progress import Progress, Turn, TurnState, load, save

BEGUN = datetime(2026, 1, 2, tzinfo=UTC)
NEW = Progress(address="db:3306", identity="uuid", begun=BEGUN, turns={})


def at(state):
    return replace(NEW, turns={"ANALYZE": Turn(state=state)})


def test_what_was_saved_is_loaded(tmp_path):
    path = tmp_path / "state.json"
    one = NEW.move("ANALYZE", TurnState.RUNNING).move("ANALYZE", TurnState.DONE, detail="OK", seconds=1.5)
    save(one, path)
    assert load(path) == one
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_without_a_file_nothing_is_known(tmp_path):
    assert load(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TurnState.DONE, TurnState.RUNNING),
        (TurnState.DONE, TurnState.SKIPPED),
        (TurnState.PENDING, TurnState.DONE),
        (TurnState.FAILED, TurnState.DONE),
    ],
)
def test_ways_that_there_are_not_are_refused(before, after):
    with pytest.raises(ValueError, match=f"no way from {before.value} to {after.value}"):
        at(before).move("ANALYZE", after)


@pytest.mark.parametrize("before", [TurnState.RUNNING, TurnState.FAILED, TurnState.STOPPED, TurnState.SKIPPED])
def test_what_was_not_done_can_be_run_again(before):
    assert at(before).move("ANALYZE", TurnState.RUNNING).of("ANALYZE").state is TurnState.RUNNING


def test_a_run_is_over_when_all_is_done_or_it_is_a_week_old():
    assert at(TurnState.DONE).over(BEGUN)
    assert not at(TurnState.SKIPPED).over(BEGUN)
    assert not at(TurnState.RUNNING).over(BEGUN + timedelta(days=6))
    assert at(TurnState.RUNNING).over(BEGUN + timedelta(days=8))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "stillhere maintain 1"}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="state file"):
        load(path)


@pytest.mark.parametrize("broken", [{"format": "9"}, {"statements": [{"statement": "x", "state": "gone"}]}])
def test_files_of_another_format_are_refused(tmp_path, broken):
    path = tmp_path / "state.json"
    save(at(TurnState.DONE), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    with pytest.raises(ConfigurationError):
        load(path)
