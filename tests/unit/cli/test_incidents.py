"""``stillhere incidents``: what it shows, in which form, and where it says that it looked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from stillhere.causes.incidents import Store
from stillhere.cli.main import main
from stillhere.events import Incident
from stillhere.findings import Evidence

X = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLHERE_STATE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    return Store(tmp_path / "incidents.sqlite3")


def incident(cause="killed", hours=0.5, server="db.internal:3306", **changes):
    facts = {
        "certainty": 0.75, "sentence": "the connection was killed while it was idle", "done": "Replaced; nothing lost",
        "remedy": "Find out who sent KILL", "commands": ("SHOW PROCESSLIST",),
        "evidence": (Evidence("Com_kill grew once", "SHOW GLOBAL STATUS"),),
    }  # fmt: skip
    at = datetime.now(UTC) - timedelta(hours=hours)
    return Incident(**{**facts, "at": at, "server": server, "cause": cause, **changes})


def shown(capsys, *argv):
    assert main(["incidents", *argv]) == 0
    return capsys.readouterr()


def test_a_missing_store_is_no_error_and_says_where_it_looked(state, capsys):
    told = shown(capsys)
    assert told.out == "no incidents recorded within 24h\n"
    assert str(state.path) in told.err
    assert "does not exist" in told.err


def test_incidents_are_grouped_with_sentence_outcome_and_remedy(state, capsys):
    state.add(
        [incident(), incident(hours=3, done="Not sent again: it may have taken effect", error="X"), incident("crash")]
    )
    lines = shown(capsys).out.splitlines()
    assert lines[0].startswith(
        f"2 {X} killed on db.internal:3306: 1 within the last hour, first 3 h ago, last 30 min ago"
    )
    block = "\n".join(lines[1 : lines.index("")])
    for words in (
        "killed while it was idle.",
        f"1 {X} Replaced; nothing lost.",
        "to do: Find out who sent KILL",
        "SHOW",
    ):
        assert words in block
    assert f"1 {X} crash on db.internal:3306" in "\n".join(lines)


def test_an_unknown_cause_says_how_to_find_out(state, capsys):
    state.add([incident("unknown", remedy="", commands=(), collect=("SHOW GLOBAL STATUS LIKE 'Uptime'",))])
    assert "to find out: SHOW GLOBAL STATUS LIKE 'Uptime'" in shown(capsys).out


def test_since_and_the_url_choose(state, capsys):
    state.add([incident(), incident(hours=30, cause="old"), incident(cause="elsewhere", server="other:3306")])
    told = shown(capsys, "mysql+pymysql://app:hunter2@db.internal/x?plugin=stillhere").out
    assert "killed" in told
    assert "elsewhere" not in told
    assert "old" not in told
    assert "old" in shown(capsys, "--since", "48h").out


def test_the_latest_are_shown_one_by_one_up_to_a_limit(state, capsys):
    state.add([incident(hours=hours) for hours in (1, 2, 3)])
    assert "the latest 2 of 3" in shown(capsys, "--limit", "2").out
    assert "the latest" not in shown(capsys, "--limit", "0").out


def test_json_is_a_list_of_all_newest_first(state, capsys):
    older, newer = incident(hours=2), incident(hours=1)
    state.add([older, newer])
    listed = json.loads(shown(capsys, "--json").out)
    assert [one["at"] for one in listed] == [newer.at.isoformat(), older.at.isoformat()]
    assert listed[0]["evidence"] == [{"fact": "Com_kill grew once", "source": "SHOW GLOBAL STATUS", "supports": True}]
    assert {"server", "cause", "certainty", "sentence", "done", "error", "phase", "remedy", "collect"} <= set(listed[0])


def test_without_incidents_json_is_an_empty_list(state, capsys):
    assert json.loads(shown(capsys, "--json").out) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is not a duration"),
        (["postgresql://x/y"], "stillhere is for mysql and mariadb"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(state, capsys, argv, words):
    assert main(["incidents", *argv]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_a_store_that_can_not_be_read_is_one_line_and_exit_2(state, capsys):
    state.path.write_bytes(b"no database" * 500)
    assert main(["incidents"]) == 2
    assert "can't be read" in capsys.readouterr().err
