"""The whole command against real servers and an application that is imported: output, exit codes, a page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from stillhere.cli.main import main


@pytest.fixture
def application(tmp_path, monkeypatch, patient):
    """Writes an application with an engine for the server into the working directory; its place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STILLHERE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(options="", query=""):
        url = f"mysql+pymysql://stillhere:stillhere@127.0.0.1:{patient.port}/{query}"
        (tmp_path / "shop_of_the_test.py").write_text(
            f"from sqlalchemy import create_engine\nengine = create_engine({url!r}{options})\n", encoding="utf-8"
        )
        return "shop_of_the_test:engine"

    yield write
    for name in set(sys.modules) - before:
        if name == "shop_of_the_test":
            del sys.modules[name]


@pytest.mark.parametrize(
    ("options", "query"),
    [("", "?plugin=stillhere"), (", pool_pre_ping=True", ""), (", pool_recycle=3600", "")],
    ids=["stillhere", "pings", "recycles"],
)
def test_a_healthy_application_on_a_fresh_server_has_nothing_to_fix(application, capsys, options, query):
    assert main(["doctor", "--app", application(options, query)]) == 0
    shown = capsys.readouterr().out
    assert "nothing to fix" in shown
    assert "stillhere:stillhere" not in shown


def test_an_application_that_keeps_connections_too_long_is_told(application, patient, capsys):
    before = patient.set_global({"wait_timeout": 600})
    try:
        place = application(", pool_recycle=7200")
        assert main(["doctor", "--app", place, "--json", "--html", "report.html"]) == 1
        record = json.loads(capsys.readouterr().out)
        assert [(one["rule"], one["severity"]) for one in record["findings"] if one["severity"] != "info"] == [
            ("recycle-too-late", "error")
        ]
        assert "recycle-too-late" in Path("report.html").read_text(encoding="utf-8")
    finally:
        patient.set_global(before)


def test_a_limit_on_the_way_is_taken_into_account(application, capsys):
    place = application(", pool_recycle=3600")
    assert main(["doctor", "--app", place, "--hop-idle", "350s"]) == 1
    assert "the idle limit on the way is 350 s" in " ".join(capsys.readouterr().out.split())
