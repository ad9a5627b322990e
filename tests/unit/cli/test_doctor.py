"""``stillhere doctor`` looks at servers and answers with an exit code; bad input is one line and 2."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillhere.causes.incidents import Store, store_path
from stillhere.cli.commands import doctor as verb
from stillhere.cli.main import main
from stillhere.doctor import examination
from stillhere.doctor.case import Case
from stillhere.doctor.examination import Examination, judge
from stillhere.events import Incident
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import Snapshot

DEFAULTS = Path(__file__).parents[2] / "cases/doctor/defaults/mysql.json"
SECRET = "hunter22"
URL = f"mysql+pymysql://alice:{SECRET}@127.0.0.1:{{}}/shop"


@pytest.fixture
def dead_port():
    """A loopback port on which nothing listens, and on which nothing will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def build_case():
    """A healthy server's case, but for the changes to its variables and status."""
    found = json.loads(DEFAULTS.read_text(encoding="utf-8"))

    def build(changes):
        return Case(
            snapshot=Snapshot(
                address="db.example:3306",
                version=parse_version(found["version"]),
                version_text=found["version"],
                taken_at=datetime(2026, 3, 1, tzinfo=UTC),
                variables=found["variables"] | changes.get("variables", {}),
                status=found["status"] | changes.get("status", {}),
            )
        )

    return build


@pytest.fixture
def answers(monkeypatch):
    """Has each server answer with an examination of the test's."""

    def answer(found):
        monkeypatch.setattr("stillhere.doctor.runner.examine", lambda *_: found)

    return answer


def complaint(capsys, *args):
    assert main(["doctor", *args]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("stillhere: ")
    assert captured.err.count("\n") == 1
    assert SECRET not in captured.out + captured.err
    return captured.err


def test_nothing_to_look_at_is_said(capsys):
    assert "name a URL" in complaint(capsys)


@pytest.mark.parametrize("bad", ["shop", "postgresql://alice:hunter22@db/shop"])
def test_a_bad_url_is_refused_before_any_server_is_looked_at(capsys, bad):
    complaint(capsys, URL.format(1), bad)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("--hop-idle", "soon"), "--hop-idle"),
        (("--measure-idle", "1 week"), "--measure-idle"),
        (("--memory", "lots"), "--memory"),
        (("--processes", "0"), "processes"),
        (("--fail-on", "never"), "fail-on"),
        (("--app", "no_such_module_here:engine"), "no_such_module_here"),
        (("--explain", "no-such-check"), "no-such-check"),
        (("--urls-from", "no-such-file"), "no-such-file"),
        (("--html", "no-such-folder/x.html"), "no-such-folder"),
    ],
)
def test_a_bad_option_is_named(capsys, args, named):
    assert named in complaint(capsys, URL.format(1), *args)


def test_a_server_that_is_not_there_gives_2_and_no_password(capsys, dead_port):
    assert main(["doctor", URL.format(dead_port)]) == 2
    captured = capsys.readouterr()
    assert f"127.0.0.1:{dead_port}  could not be looked at:" in captured.out
    assert SECRET not in captured.out + captured.err


def test_urls_come_from_a_file_with_comments(capsys, tmp_path, dead_port):
    listed = tmp_path / "urls"
    listed.write_text(f"# the shop\n\n{URL.format(dead_port)}\n", encoding="utf-8")
    assert main(["doctor", "--urls-from", str(listed)]) == 2
    assert f"127.0.0.1:{dead_port}" in capsys.readouterr().out


def test_exit_codes_follow_what_was_found(build_case, answers, capsys):
    for changes, plain, errors_only in (
        ({}, 0, 0),
        ({"status": {"com_kill": "3"}}, 0, 0),
        ({"variables": {"wait_timeout": "20"}}, 1, 0),
        ({"variables": {"offline_mode": "ON"}}, 1, 1),
    ):
        answers(judge(build_case(changes)))
        assert main(["doctor", URL.format(1)]) == plain
        assert main(["doctor", URL.format(1), "--fail-on", "error"]) == errors_only
    answers(Examination(address="x", error="away"))
    assert main(["doctor", URL.format(1), "--fail-on", "error"]) == 2
    capsys.readouterr()


def test_json_is_all_that_is_printed(build_case, answers, capsys):
    answers(judge(build_case({"variables": {"wait_timeout": "20"}})))
    assert main(["doctor", URL.format(1), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["rule"] == "wait-timeout-short"


def test_a_page_is_written_beside_the_text(build_case, answers, tmp_path, capsys):
    answers(judge(build_case({"variables": {"wait_timeout": "20"}})))
    assert main(["doctor", URL.format(1), "--html", str(tmp_path / "report.html")]) == 1
    assert "wait-timeout-short" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "wait-timeout-short" in capsys.readouterr().out


def test_a_check_is_explained_and_all_are_listed(capsys):
    assert main(["doctor", "--explain", "recycle-too-late"]) == 0
    assert "Why it is bad" in capsys.readouterr().out
    assert main(["doctor", "--list"]) == 0
    assert "recycle-too-late" in capsys.readouterr().out


def test_a_drivers_error_is_one_line_without_secrets():
    error = ConnectionError(f"no way to\n{URL.format(1)}")
    assert examination._why(error) == "no way to mysql+pymysql://alice:***@127.0.0.1:1/shop"


def test_a_log_is_one_servers(capsys, tmp_path):
    log = tmp_path / "error.log"
    log.write_text("2026-03-01 12:00:00 0 [Note] mariadbd: ready for connections.\n", encoding="utf-8")
    assert "--log is for one server, and 2" in complaint(capsys, URL.format(1), URL.format(2), "--log", str(log))


def test_what_is_no_log_is_refused(capsys, tmp_path):
    log = tmp_path / "error.log"
    log.write_text("Dear diary,\n", encoding="utf-8")
    assert "none of its 1 lines" in complaint(capsys, URL.format(1), "--log", str(log))
    assert "nowhere" in complaint(capsys, URL.format(1), "--log", str(tmp_path / "nowhere"))


BAD_SOURCE = (
    "from sqlalchemy import create_engine\n\nengine = create_engine('mysql+pymysql://db/shop', max_overflow=-1)\n"
)


def test_source_is_looked_at_without_any_server(tmp_path, capsys):
    (tmp_path / "shop.py").write_text(BAD_SOURCE, encoding="utf-8")
    assert main(["doctor", "--source", str(tmp_path), "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["servers"] == []
    assert all(one["rule"].startswith("SH") and one["location"]["line"] >= 1 for one in record["findings"])
    assert main(["doctor", "--source", str(tmp_path)]) == 1
    assert "shop.py:3" in capsys.readouterr().out
    (tmp_path / "shop.py").write_text("print('no database here')\n", encoding="utf-8")
    assert main(["doctor", "--source", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "source: nothing to fix\n"


def test_source_that_is_not_there_is_named(capsys, tmp_path):
    assert "nowhere" in complaint(capsys, "--source", str(tmp_path / "nowhere"))


def test_sarif_has_every_check_as_a_rule_and_every_finding_as_a_result(build_case, answers, tmp_path, capsys):
    answers(judge(build_case({"variables": {"wait_timeout": "20"}})))
    (tmp_path / "shop.py").write_text(BAD_SOURCE, encoding="utf-8")
    assert main(["doctor", URL.format(1), "--source", str(tmp_path), "--sarif"]) == 1
    [run] = json.loads(capsys.readouterr().out)["runs"]
    assert "wait-timeout-short" in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {"wait-timeout-short"} < {result["ruleId"] for result in run["results"]}


def test_two_formats_at_once_are_refused(capsys):
    assert "not both" in complaint(capsys, URL.format(1), "--json", "--sarif")


def test_losses_recorded_on_this_machine_are_read(monkeypatch, tmp_path):
    monkeypatch.setenv("STILLHERE_STATE", str(tmp_path))
    assert verb._recorded() is None
    old, new = (
        Incident(
            at=datetime.now(UTC) - timedelta(days=days),
            server="db:3306",
            cause=cause,
            certainty=0.9,
            sentence="s",
            done="d",
        )
        for days, cause in ((8, "crash"), (1, "restart"))
    )
    assert Store(store_path()).add([old, new]) == ""
    assert [one.cause for one in verb._recorded()] == ["restart"]
    store_path().write_bytes(b"no database at all, whatever it is called" * 100)
    assert verb._recorded() is None
