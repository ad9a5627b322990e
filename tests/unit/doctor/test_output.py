"""What the report looks like: as text, as JSON and as a page, each with the same findings and without secrets."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from stillhere.cli.doctoring import show
from stillhere.doctor.examination import Examination, NotChecked, judge
from stillhere.doctor.page import page
from stillhere.doctor.records import report_record
from stillhere.doctor.runner import Report
from stillhere.doctor.summary import closing, gaps
from stillhere.findings import Severity


@pytest.fixture
def report(build):
    """A healthy server, one with faults, and one that doesn't answer."""
    faulty = build(
        {
            "variables": {"wait_timeout": "20", "interactive_timeout": "20"},
            "status": {"com_kill": "3"},
            "errors": [{"code": 1153, "name": "ER_NET_PACKET_TOO_LARGE", "raised": 2}],
            "gaps": {"hosts": "needs PROCESS", "engines": "needs --app"},
        }
    )
    away = Examination(address="dead:3306", error="Can't connect to <dead> (2003)")
    return Report((judge(build({})), judge(faulty), away))


def shown(report, *, width=80, verbose=False):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(console, report, verbose=verbose)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 160])
def test_text_fits_the_terminal_but_for_what_is_to_be_pasted(report, width):
    text = shown(report, width=width)
    assert "      SET PERSIST wait_timeout = 28800;" in text.splitlines()
    assert all(
        len(line) <= width or line.lstrip().startswith(("SET", "TRUNCATE", "http")) for line in text.splitlines()
    )
    assert all(line == line.rstrip() for line in text.splitlines())


def test_text_keeps_notes_and_evidence_for_verbose(report):
    brief, whole = shown(report), shown(report, verbose=True)
    assert "KILL was used" not in brief
    assert "measured:" not in brief
    assert "KILL was used 3 times" in whole
    assert "measured: error 1153 raised 2 times" in whole


def test_text_ends_with_counts_and_says_what_was_not_checked(report):
    lines = shown(report).splitlines()
    assert lines[-1] == "2 servers: 2 warnings; 1 note; 1 server could not be looked at"
    assert any(line == "not checked on 1 server (needs PROCESS): 2 checks" for line in lines)
    assert any("dead:3306  could not be looked at: Can't connect to <dead> (2003)" in line for line in lines)
    assert sum("nothing to fix" in line for line in lines) == 1


def test_json_has_servers_findings_and_gaps(report):
    record = json.loads(json.dumps(report_record(report)))
    assert [server["reachable"] for server in record["servers"]] == [True, True, False]
    assert record["summary"] == {"servers": 3, "unreachable": 1, "error": 0, "warning": 2, "info": 1}
    first = record["findings"][0]
    assert set(first) == {"rule", "severity", "server", "subject", "message", "why", "evidence", "remedy", "reference"}
    assert first["evidence"][0]["source"]
    assert first["remedy"]["commands"]
    assert {"server": "db.example:3306", "check": "host-near-block", "reason": "needs PROCESS"} in record["not_checked"]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.articles, self.text = [], [], 0, []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.fetched += [found[name] for name in ("src", "data") if name in found]
        self.fetched += [found["href"]] if tag == "link" else []
        self.articles += tag == "article"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_fetches_nothing_closes_its_tags_and_has_every_finding(report):
    reader = _Page()
    reader.feed(page(report, "0.2.0"))
    assert reader.open == []
    assert reader.fetched == []
    assert reader.articles == len(report.findings()) + 1
    text = "".join(reader.text)
    for finding in report.findings():
        assert finding.message in text
    assert "Can't connect to <dead> (2003)" in text
    assert closing(report) in text


def test_gaps_are_gathered_by_reason_over_all_servers():
    servers = [
        Examination(address="a", not_checked=(NotChecked("x", "r"), NotChecked("y", "s"))),
        Examination(address="b", not_checked=(NotChecked("z", "s"), NotChecked("y", "s"))),
    ]
    assert gaps(servers) == (("s", ("y", "z"), 2), ("r", ("x",), 1))


def test_worst_come_first(build):
    found = judge(build({"variables": {"connect_timeout": "2", "offline_mode": "ON"}, "status": {"com_kill": "1"}}))
    assert [one.severity for one in found.findings] == [Severity.ERROR, Severity.WARNING, Severity.INFO]


def test_a_case_with_gaps_lists_the_checks_that_could_not_be_asked(build):
    found = judge(build({"gaps": {"sessions": "needs PROCESS: shows the account's own only"}}))
    assert {one.check for one in found.not_checked} >= {"idle-in-transaction", "connections-hoarded", "logins-stuck"}
    assert "wait-timeout-short" not in {one.check for one in found.not_checked}


def test_checks_for_another_family_or_version_are_not_even_listed(build):
    names = {one.check for one in judge(build({"gaps": {"errors": "x", "members": "x"}}, "mariadb")).not_checked}
    assert names.isdisjoint({"packets-refused", "group-member-away"})
