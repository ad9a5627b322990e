"""What a log, a terminal, a mail or a page puts around a traceback changes none of its facts."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import pytest
from trace_expectations import CASES, case_files

from stillhere.apptrace import parse

PLAIN = [
    path
    for path in case_files()
    if path.stem.startswith(
        (
            "flask-",
            "commit-",
            "flush-",
            "fetch-",
            "pool-",
            "connect-",
            "too-large",
            "lead-flask",
            "raw-",
            "async",
            "aio",
            "notes",
        )
    )
]


def prefixed(prefix):
    return lambda text: "".join(f"{prefix}{line}\n" for line in text.splitlines())


def coloured(text):
    return "".join(f"\x1b[31m{line[:4]}\x1b[0;1m{line[4:]}\x1b[0m\n" for line in text.splitlines())


DRESSES = {
    "indented": prefixed("        "),
    "quoted in a mail": prefixed("> "),
    "quoted twice": prefixed("> > "),
    "fenced": lambda text: f"It says:\n\n```\n{text}```\nand then stops\n",
    "html-escaped": html.escape,
    "in a page": lambda text: f"<html><body><div><pre>{html.escape(text)}</pre></div></body></html>",
    "coloured": coloured,
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "docker compose": prefixed("web-1  | "),
    "kubernetes": prefixed("2026-03-02T04:17:09.311000001Z stderr F "),
    "journald": prefixed("2026-03-02T04:17:09+0100 app3 web[4711]: "),
    "syslog": prefixed("Mar  2 04:17:09 app3 web[4711]: "),
    "python logging": prefixed("2026-03-02 04:17:09,311 ERROR [4711:MainThread] tournament.web: "),
    "gunicorn": prefixed("[2026-03-02 04:17:09 +0100] [4711] [ERROR] "),
    "mod_wsgi": prefixed("[Mon Mar 02 04:17:09.311 2026] [wsgi:error] [pid 4711:tid 7] [client 10.0.0.7:5] "),
    "airflow": prefixed("[2026-03-02, 04:17:09 UTC] {taskinstance.py:1937} ERROR - ".replace(", ", " ")),
    "json lines": lambda text: json.dumps({"level": "error", "exc_info": text, "event": "failed"}) + "\n",
    "utf-16": lambda text: text.encode("utf-16"),
}
# These say more than the case does, or cut off what is above it.
LOOSE = {"line": 0, "at": None, "zoned": False, "process": None, "thread": ""}


def facts(text):
    return [replace(report, **LOOSE) for report in parse(text)]


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("case", PLAIN, ids=lambda path: path.stem)
def test_dressed_it_says_the_same(case, dress):
    text = case.read_text(encoding="utf-8")
    assert facts(DRESSES[dress](text)) == facts(text)


@pytest.mark.parametrize("case", PLAIN, ids=lambda path: path.stem)
def test_twice_in_one_file_it_is_reported_twice(case):
    text = case.read_text(encoding="utf-8")
    once = facts(text)
    assert facts(f"{text}\n{text}") == [*once, *once]


def test_two_different_ones_keep_their_own_facts_and_lines():
    first = (CASES / "lead-flask-mysqlclient-2006.txt").read_text(encoding="utf-8")
    second = (CASES / "raw-pymysql-closed.txt").read_text(encoding="utf-8")
    one, two = parse(f"{first}\n{second}")
    assert replace(one, line=0) == replace(parse(first)[0], line=0)
    assert replace(two, line=0) == replace(parse(second)[0], line=0)
    assert two.line == first.count("\n") + 2


def test_a_year_that_a_log_does_not_name_is_not_made_up():
    text = (CASES / "raw-pymysql-closed.txt").read_text(encoding="utf-8")
    (report,) = parse(DRESSES["syslog"](text))
    assert report.at is None
    assert report.process == 4711


def test_times_process_and_thread_come_from_the_prefix():
    text = (CASES / "raw-pymysql-closed.txt").read_text(encoding="utf-8")
    (report,) = parse(DRESSES["gunicorn"](text))
    assert report.at is not None
    assert report.at.isoformat() == "2026-03-02T04:17:09+01:00"
    assert report.zoned
    assert report.process == 4711
    (report,) = parse(DRESSES["python logging"](text))
    assert (report.process, report.thread, report.zoned) == (4711, "MainThread", False)
