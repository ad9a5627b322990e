"""``stillhere drill --check``: what it passes on, what it prints, and how it exits."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from stillhere.cli.main import main
from stillhere.lab.check import run
from stillhere.lab.check.checker import Violation, Wrong
from stillhere.lab.check.history import Cut, Kind, Outage, Outcome, Troubles
from stillhere.lab.check.report import Report


def report(options, violations=()) -> Report:
    cut = Cut(0.0, 1, 5, 7, "COMMIT", "op-1-1", "AFTER_FORWARD", "RST", ghost=True)
    return Report(
        server=options.server,
        version="MariaDB 10.11.19",
        arm=options.arm,
        drivers=options.drivers,
        options=options.options,
        seed=options.seed,
        seconds=20.0,
        operations=Counter({(Kind.APPEND, Outcome.OK): 40, (Kind.NOTE, Outcome.UNKNOWN): 2}),
        errors=Counter({"StatementOutcomeUnknown": 2}),
        struck=30,
        troubles=Troubles([cut], [(0.0, 7)], [Outage(0.0, 1.0, crash=True)]),
        events=Counter({"continued: REPLAY": 5, "continued: SETTLE": 1, "replays": 5, "refused: x": 3}),
        longest=1.5,
        violations=violations,
    )


@pytest.fixture
def asked(monkeypatch):
    """What the check was asked to run; it finds nothing wrong, or what a test puts into ``asked.wrong``."""

    class Asked(list):
        wrong = ()

    heard = Asked()

    def run_check(options, *, progress):
        progress("half way")
        heard.append(options)
        return report(options, heard.wrong)

    monkeypatch.setattr(run, "run_check", run_check)
    return heard


def test_the_options_reach_the_run_and_a_clean_one_exits_with_0(asked, capsys):
    line = ["drill", "--check", "--seconds", "7", "--cuts", "90", "--seed", "5", "--option", "witness=on"]
    assert main(line) == 0
    assert [(one.server, one.arm) for one in asked] == [("mariadb", "stillhere"), ("mysql", "stillhere")]
    assert (asked[0].seconds, asked[0].cuts, asked[0].seed, asked[0].options) == (7, 90, 5, {"witness": "on"})
    shown = capsys.readouterr().out
    assert "seed 5" in shown
    assert "continued 6, replayed 5, settled 1, refused 3" in shown
    assert "0 violations" in shown


def test_violations_are_shown_and_exit_with_1(asked, capsys, tmp_path):
    asked.wrong = (Violation(Wrong.LOST, "op-1-7", "append, told ok; stored: nothing"),)
    path = tmp_path / "check.json"
    assert main(["drill", "--check", "--server", "mysql", "--arm", "recipe", "--json", str(path)]) == 1
    assert "op-1-7: acknowledged, and not there: append, told ok" in capsys.readouterr().out
    (found,) = json.loads(path.read_text())
    assert (found["arm"], found["violations_by_kind"], found["cuts"], found["crashes"]) == (
        "recipe",
        {"lost": 1},
        30,
        1,
    )


def test_an_option_without_a_value_is_a_mistake(asked, capsys):
    assert main(["drill", "--check", "--option", "witness"]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err
    assert not asked
