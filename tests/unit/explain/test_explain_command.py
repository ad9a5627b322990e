"""``stillhere explain`` from its arguments to its output: whatever is handed to it, in whatever way."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import types

import pytest

from stillhere.causes.rules import RULES
from stillhere.cli import inputs

TRACEBACK = """\
{at} ERROR app: Exception on /match/1/ [GET]
Traceback (most recent call last):
  File "/srv/app/views.py", line 41, in match
    session.execute(query)
  File "/srv/venv/lib/python3.11/site-packages/MySQLdb/connections.py", line 261, in query
    _mysql.connection.query(self, query)
MySQLdb.OperationalError: (2013, 'Lost connection to server during query')
"""
CRASH = """\
2026-03-01T11:00:00.100000Z 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 8.4.3) starting as process 7
2026-03-01T11:00:01.100000Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.3'
2026-03-01T12:00:00Z UTC - mysqld got signal 11 ;
Most likely, you have hit a bug, but this error can also be caused by malfunctioning hardware.
2026-03-01T12:00:04.100000Z 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 8.4.3) starting as process 9
2026-03-01T12:00:05.100000Z 0 [System] [MY-010229] [Server] Starting XA crash recovery...
2026-03-01T12:00:06.100000Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.3'
"""
SECRET = "hunter22"


@pytest.fixture
def traceback(tmp_path):
    path = tmp_path / "app.log"
    path.write_text(TRACEBACK.format(at="2026-03-01T12:00:00+0000"))
    return path


@pytest.fixture
def error_log(tmp_path):
    path = tmp_path / "error.log"
    path.write_text(CRASH)
    return path


@pytest.fixture
def stdin(monkeypatch):
    """Put bytes on standard input."""

    def put(data):
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))

    return put


def named(told):
    code, out, err = told
    assert code == 0, err
    return json.loads(out)["named"]


def complaint(told):
    code, out, err = told
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_a_traceback_alone_is_not_settled_and_says_what_would(run, traceback):
    code, out, err = run(traceback)
    assert (code, err) == (0, "")
    assert out.startswith("Not settled; possible: ")
    assert "to settle it" in out


def test_with_the_error_log_it_is_settled_however_the_log_is_given(run, traceback, error_log):
    assert named(run("--json", traceback, error_log)) == "crash"
    assert named(run("--json", error_log, traceback)) == "crash"
    assert named(run("--json", traceback, "--log", error_log)) == "crash"


def test_a_pipe_is_read_with_a_dash_and_without(run, traceback, error_log, stdin, monkeypatch):
    stdin(traceback.read_bytes())
    assert named(run("-", "--log", error_log, "--json")) == "crash"
    monkeypatch.setattr("stillhere.cli.inputs.piped", lambda: True)
    stdin(traceback.read_bytes())
    assert named(run("--log", error_log, "--json")) == "crash"


def test_packed_files_are_unpacked(run, traceback, error_log, tmp_path):
    packed = []
    for path in (traceback, error_log):
        packed.append(tmp_path / f"{path.name}.gz")
        packed[-1].write_bytes(gzip.compress(path.read_bytes()))
    assert named(run("--json", *packed)) == "crash"


def test_a_damaged_archive_is_read_as_far_as_it_goes_and_that_is_said(run, error_log, tmp_path):
    noise = "".join(
        f"2026-02-28T12:00:{n % 60:02}.{n:06}Z {n} [Note] [MY-1] [Server] {os.urandom(9).hex()}\n" for n in range(9999)
    )
    data = gzip.compress((CRASH + noise).encode())
    path = tmp_path / "error.log.gz"
    path.write_bytes(data[: len(data) // 2])
    code, out, _ = run(path, "--json")
    assert code == 0
    assert "damaged" in json.loads(out)["notes"][0]
    assert named(run(path, "--json")) == "crash"


def test_one_file_with_both_an_application_and_a_server_in_it(run, traceback, error_log, tmp_path):
    both = tmp_path / "all.log"
    both.write_text(error_log.read_text() + traceback.read_text())
    told = json.loads(run(both, "--json")[1])
    assert told["named"] == "crash"
    assert told["losses"][0]["origin"] == "report"
    assert told["log"]["files"] == [str(both)]


def test_a_log_alone_is_explained_by_itself(run, error_log):
    told = json.loads(run(error_log, "--json")[1])
    assert told["named"] == "crash"
    assert told["losses"][0]["origin"] == "log"
    assert [one["mark"] for one in told["timeline"]] == ["start", "crash", "start"]


def test_the_zone_moves_times_that_name_none(run, error_log, tmp_path):
    path = tmp_path / "app.log"
    path.write_text(TRACEBACK.format(at="2026-03-01 14:00:00,000"))
    told = json.loads(run(path, error_log, "--zone", "+02:00", "--json")[1])
    assert told["losses"][0]["first"] == "2026-03-01T12:00:00Z"
    assert told["named"] == "crash"
    assert told["notes"] == []
    told = json.loads(run(path, error_log, "--json")[1])
    assert told["losses"][0]["first"] == "2026-03-01T14:00:00Z"
    assert "--zone" in told["notes"][0]


def test_two_kinds_of_loss_are_both_told(run, traceback, error_log, tmp_path):
    other = tmp_path / "other.log"
    other.write_text(TRACEBACK.format(at="2026-03-01T11:30:00+0000").replace("2013, 'Lost", "1045, 'Access denied"))
    told = json.loads(run(traceback, other, error_log, "--json")[1])
    assert told["named"] == "crash"
    assert sorted(loss["codes"][0] for loss in told["losses"]) == [1045, 2013]


def test_an_error_that_is_no_loss_is_said_to_be_none(run, tmp_path):
    path = tmp_path / "app.log"
    text = TRACEBACK.format(at="2026-03-01T12:00:00+0000")
    path.write_text(text.replace("OperationalError: (2013", "IntegrityError: (1062"))
    code, out, _ = run(path)
    assert code == 0
    assert out.startswith("No lost connection: these errors leave the connection alive: IntegrityError 1062 (1)")


@pytest.mark.parametrize("name", ["idle_timeout", "crash"])
def test_a_causes_name_prints_its_page(run, name):
    code, out, _ = run(name)
    assert code == 0
    assert RULES.get(name).title in out
    assert "## What to do" in out


def test_a_file_of_that_name_comes_before_the_page(run, traceback, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traceback.rename(tmp_path / "crash")
    assert run("crash")[1].startswith("Not settled")


def test_a_lint_rules_name_prints_its_page(run, monkeypatch):
    linter = types.SimpleNamespace(describe=lambda name: f"page of {name}")
    monkeypatch.setattr("stillhere.cli.commands.explain._lint", lambda: linter)
    assert run("SH103")[1] == "page of SH103\n"
    monkeypatch.setattr("stillhere.cli.commands.explain._lint", lambda: None)
    assert "no linter" in complaint(run("SH103"))


def test_what_cannot_be_used_is_one_line_and_exit_code_2(run, tmp_path, traceback):
    empty, other, binary = tmp_path / "empty", tmp_path / "notes.txt", tmp_path / "x.bin"
    empty.write_bytes(b" \n\n")
    other.write_text("nothing of that kind\n" * 10)
    binary.write_bytes(bytes(range(256)) * 100)
    assert "nothing to explain: name a file" in complaint(run())
    assert f"{empty} is empty: expected a traceback" in complaint(run(empty))
    assert f"{other} holds neither" in complaint(run(other))
    assert f"{binary} holds neither" in complaint(run(binary))
    assert "has no line that a MySQL" in complaint(run("--log", other))
    assert "is a directory" in complaint(run(tmp_path))
    assert "no file" in complaint(run("nosuch"))
    assert "no file nosuch.log" in complaint(run(traceback, "nosuch.log"))
    assert "the causes are: " in complaint(run("nosuch"))
    assert "no time zone 'Mars'" in complaint(run(traceback, "--zone", "Mars"))
    assert "two answers" in complaint(run(traceback, "--json", "--html", tmp_path / "x.html"))
    assert "no SQLAlchemy URL" in complaint(run(traceback, "--url", "nonsense"))


def test_a_terminal_without_arguments_is_not_read(monkeypatch):
    master, slave = os.openpty()
    try:
        with os.fdopen(slave) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            assert not inputs.piped()
    finally:
        os.close(master)


def test_an_open_pipe_in_which_nothing_comes_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(inputs, "_PATIENCE", 0.01)
    reading, writing = os.pipe()
    try:
        with os.fdopen(reading) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            assert not inputs.piped()
            os.write(writing, b"x")
            assert inputs.piped()
    finally:
        os.close(writing)


def test_an_unreachable_server_is_evidence_not_a_failure(run, traceback):
    url = f"mysql+pymysql://app:{SECRET}@127.0.0.1:1/shop"
    code, out, err = run(traceback, "--url", url, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["server"]["reached"] is False
    assert told["server"]["code"] == 2003
    assert {loss["origin"] for loss in told["losses"]} == {"report", "server"}
    assert SECRET not in out + err
    assert run("--url", url)[1].startswith("Nobody can log in at 127.0.0.1:1. ")


def test_the_page_is_written_and_the_verdict_printed(run, traceback, error_log, tmp_path):
    page = tmp_path / "page.html"
    code, out, err = run(traceback, error_log, "--html", page)
    assert code == 0
    assert out.startswith("Server crashed: ")
    assert out.count("\n") == 1
    assert str(page) in err.replace("\n", "")
    assert page.read_text().startswith("<!doctype html>")


def test_no_password_comes_out_of_any_input(run, tmp_path):
    report = tmp_path / "app.log"
    text = TRACEBACK.format(at="2026-03-01T12:00:00+0000")
    text = text.replace("session.execute(query)", f"connect('mysql://app:{SECRET}@db/x')")
    report.write_text(
        text + f"sqlalchemy.exc.OperationalError: (MySQLdb.OperationalError) (2013, 'Lost')\n"
        f"[SQL: SET PASSWORD FOR app = '{SECRET}']\n"
    )
    log = tmp_path / "error.log"
    log.write_text(
        CRASH.replace(
            "Most likely,",
            f"Query (7f00): CREATE USER app IDENTIFIED BY '{SECRET}'\nConnection ID (thread ID): 7\n"
            f"init_connect = 'SET @k = \"{SECRET}\"'\nMost likely,",
        )
    )
    page = tmp_path / "page.html"
    url = f"mysql+pymysql://app:{SECRET}@127.0.0.1:1/x?password={SECRET}"
    outputs = [
        *run(report, log, "--url", url)[1:],
        *run(report, log, "--json")[1:],
        *run(report, log, "--html", page)[1:],
        *run(log)[1:],
        page.read_text(),
    ]
    assert SECRET not in "".join(outputs)


def test_the_articles_own_report_speaks_for_a_stale_connection_and_against_size_and_slowness(run, article):
    code, out, _ = run(article, "--json")
    assert code == 0
    told = json.loads(out)
    loss = told["losses"][0]
    assert loss["codes"] == [2006]
    assert loss["framework"] == "Flask"
    assert loss["request"] == "GET /match/207465601/"
    assert loss["statement"].startswith("SELECT match.id")
    assert told["named"] == "unknown"
    sure = {one["cause"]: one["certainty"] for one in told["causes"]}
    assert sure["idle_timeout"] == "possible"
    assert sure["client_read_timeout"] == "unlikely"
    assert sure.get("packet_too_large", "unlikely") == "unlikely"
