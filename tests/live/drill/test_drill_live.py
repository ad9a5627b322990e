"""A short drill on a real server: the arms that should fail do, in the way they should."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from stillhere.cli.main import main
from stillhere.errors import LabError
from stillhere.lab.drill.arms import ARMS
from stillhere.lab.drill.records import decide, rows
from stillhere.lab.drill.run import QUICK, Program, drill
from stillhere.lab.faults import FAULTS
from stillhere.lab.faults.base import Fault

pytestmark = [pytest.mark.mariadb, pytest.mark.slow]


class Quiet:
    def __init__(self):
        self.titles = []

    def said(self, server, text):
        pass

    def staged(self, server, url, states):
        """Nothing is watched."""

    def ended(self, found):
        self.titles.append(found.title)


class Nothing(Fault):
    name = "nothing"
    title = "nothing at all"
    summary = "Nothing happens."

    def strike(self, scene):
        scene.pause(0.2)


def program(*faults, **changes):
    return replace(Program(("mariadb",), faults, pace=QUICK), **changes)


@pytest.fixture(scope="module")
def played():
    """Two faults on all arms, by (fault, arm)."""
    rounds = drill(program(FAULTS.get("commit_reply_lost"), FAULTS.get("outage")), Quiet())
    return {(one["fault"], one["arm"]): one for one in rows(rounds)}


@pytest.mark.parametrize("fault", ["commit_reply_lost", "outage"])
def test_stock_lets_raw_driver_errors_through(played, fault):
    stock = played[fault, "stock"]
    assert stock["errors"] > 0
    assert stock["raw"] > 0
    assert stock["lost"] == stock["wrong"] == 0


def test_the_recipe_doubles_writes_when_the_reply_to_commit_is_lost(played):
    assert played["commit_reply_lost", "recipe"]["doubled"] > 0


def test_without_a_retry_nothing_is_doubled(played):
    assert played["commit_reply_lost", "stock"]["doubled"] == 0


def test_stillhere_loses_and_doubles_nothing_and_lets_nothing_raw_through(played):
    for fault in ("commit_reply_lost", "outage"):
        ours = played[fault, "stillhere"]
        assert (ours["lost"], ours["doubled"], ours["wrong"], ours["raw"]) == (0, 0, 0, 0)
        assert ours["recovery_ms"] is not None


def test_every_arm_was_under_load(played):
    assert all(one["requests"] >= 50 for one in played.values())


def test_a_fault_that_does_nothing_makes_the_drill_void():
    decision = decide(drill(program(Nothing(), arms=(ARMS.get("stock"),)), Quiet()))
    assert decision.verdict == 2
    assert "nothing on mariadb" in decision.reasons[0]


def test_variables_are_put_back_and_no_process_or_thread_is_left():
    before = set(threading.enumerate())
    listener = Quiet()
    drill(program(FAULTS.get("idle_timeout"), arms=(ARMS.get("stock"),)), listener)
    assert listener.titles == ["idle timeout"]
    assert {one for one in threading.enumerate() if one.is_alive()} <= before


def test_what_goes_wrong_in_a_round_is_raised_to_the_caller():
    class Broken(Nothing):
        def strike(self, _scene):
            raise LabError("it can't be broken")

    with pytest.raises(LabError, match="it can't be broken"):
        drill(program(Broken(), arms=(ARMS.get("stock"),)), Quiet())


def test_the_command_writes_its_files_and_exits_with_its_verdict(tmp_path, capsys):
    data, page = tmp_path / "drill.json", tmp_path / "drill.html"
    argv = ["drill", "--server", "mariadb", "--fault", "reset", "--arm", "stock", "--quick", "--driver", "pymysql"]
    assert main([*argv, "--json", str(data), "--html", str(page)]) == 0
    assert [(one["fault"], one["driver"], one["arm"]) for one in json.loads(data.read_text())] == [
        ("reset", "pymysql", "stock")
    ]
    assert page.read_text().startswith("<!doctype html>")
    assert "connection reset" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--fault", "earthquake"], ["unknown fault 'earthquake'", "crash"]),
        (["--arm", "leg"], ["unknown arm 'leg'", "recipe"]),
        (["--html", "/nonexistent/x.html"], ["/nonexistent/x.html"]),
    ],
)
def test_mistakes_are_one_line_and_exit_2(capsys, argv, words):
    assert main(["drill", *argv]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(word in told for word in words)


def test_the_faults_are_listed(capsys):
    assert main(["drill", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in listed] == list(FAULTS.names())
