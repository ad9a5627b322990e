"""Losses, logs and servers as they might have been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillhere.apptrace.report import Frame, Position, Report
from stillhere.causes.engine import Explanation
from stillhere.causes.rule import Attribution, Certainty
from stillhere.cli import main
from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import Summary
from stillhere.findings import Evidence, Remedy
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import Snapshot

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CASES = Path(__file__).parents[2] / "cases" / "causes"


def seconds(count):
    return NOON + timedelta(seconds=count)


def report(at=0.0, **facts):
    given = {
        "line": 1,
        "at": None if at is None else seconds(at),
        "zoned": True,
        "driver": "mysqlclient",
        "exception": "MySQLdb.OperationalError",
        "errno": 2006,
        "codes": (2006,),
        "message": "(2006, 'Server has gone away')",
        "position": Position.STATEMENT,
        "frame": Frame("/srv/app/views.py", 41, "match"),
    }
    return Report(**(given | facts))


def entry(kind=Kind.ABORTED, at=0.0, line=1, **facts):
    return Entry(kind=kind, at=None if at is None else seconds(at), line=line, **facts)


def summary(*entries, first=-86400.0, last=86400.0, **facts):
    counts = {}
    for one in entries:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    given = {"lines": 100, "counts": counts, "entries": entries, "first": seconds(first), "last": seconds(last)}
    return Summary(**(given | facts))


def snapshot(*, at=0.0, uptime=1000, **variables):
    return Snapshot(
        address="db:3306",
        version=parse_version("8.4.3"),
        version_text="8.4.3",
        taken_at=seconds(at),
        variables=variables,
        status={"uptime": str(uptime), "threads_connected": "3"},
    )


def attribution(cause="idle_timeout", certainty=Certainty.PROVED, **facts):
    given = {
        "sentence": "idle 612 s, wait_timeout 600 s",
        "evidence": (Evidence("idle 612 s", "exception"), Evidence("uptime 9 d", "SHOW STATUS", supports=False)),
        "remedy": Remedy("Recycle earlier.", ("pool_recycle=300",), "a reconnect now and then"),
        "settle": ("the error log",),
    }
    return Attribution(cause=cause, certainty=certainty, **(given | facts))


def explanation(*answers, named=True):
    return Explanation(causes=answers, named=answers[0] if named and answers else None, collect=("the error log",))


@pytest.fixture
def make():
    """The builders, as attributes."""

    class Builders:
        pass

    for name in ("seconds", "report", "entry", "summary", "snapshot", "attribution", "explanation"):
        setattr(Builders, name, staticmethod(globals()[name]))
    return Builders


@pytest.fixture
def article():
    """The traceback that the whole project began with."""
    return CASES / "article.txt"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run ``stillhere explain`` in a pipe, 80 columns wide, nothing on standard input: code, output, complaint."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("stillhere.cli.inputs.piped", lambda: False)

    def explain(*args):
        code = main.main(["explain", *map(str, args)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return explain
