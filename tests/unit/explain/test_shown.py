"""The answer as JSON, as text and as a page."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from stillhere.causes.answer import Answer, Case, LogView, Look, Mark, Moment, Origin
from stillhere.causes.assemble import observe_report, scene
from stillhere.causes.rule import Certainty
from stillhere.causes.rules import RULES
from stillhere.cli.explanation.chart import bars
from stillhere.cli.explanation.clean import clean
from stillhere.cli.explanation.facts import facts
from stillhere.cli.explanation.page import page
from stillhere.cli.explanation.text import show
from stillhere.cli.explanation.words import span, verdict
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import Aborts, Count, Ending, Life, Noise
from stillhere.findings import Evidence

HOSTILE = "<script>alert('&\"')</script>\x1b[31m"


def case(make, explanation, **facts):
    given = {
        "origin": Origin.REPORT,
        "subject": "OperationalError 2006 (mysqlclient) at views.py:41 in match",
        "explanation": explanation,
        "seen": observe_report(make.report(), scene([])),
        "source": "app.log",
        "line": 3,
        "first": make.seconds(0),
        "last": make.seconds(0),
    }
    return Case(**(given | facts))


@pytest.fixture
def answer(make):
    """A settled loss, one that isn't, a log, a live server."""
    log = make.summary(
        lives=(
            Life(ending=Ending.CRASH, started=make.seconds(-99), ended=make.seconds(-1), start_line=1, end_line=8),
            Life(ending=Ending.RUNNING, started=make.seconds(1), start_line=9),
        ),
        aborts=Aborts(
            total=12,
            by_user=(Count("app", 9), Count("", 3)),
            by_host=(Count("10.0.0.9", 12),),
            by_reason=(Count("Got an error", 12),),
            by_hour=((make.seconds(-7200), 4), (make.seconds(0), 8)),
        ),
        noise=(Noise(host="10.0.0.2", period=10.0, count=900),),
        unknown=4,
    )
    moments = (
        Moment(at=make.seconds(-99), mark=Mark.START, text="server started", source="error log, line 1"),
        Moment(at=make.seconds(-1), mark=Mark.CRASH, text="server crashed", source="error log, line 8"),
        Moment(at=make.seconds(0), until=make.seconds(4), mark=Mark.LOSS, text="2006", count=3, source="app.log"),
    )
    settled = make.explanation(make.attribution(), make.attribution("crash", Certainty.UNLIKELY))
    open_ = make.explanation(make.attribution("crash", Certainty.POSSIBLE), named=False)
    return Answer(
        cases=(case(make, settled, count=3), case(make, open_, subject="OperationalError 2013")),
        timeline=moments,
        logs=(LogView(name="error.log", summary=log),),
        look=Look(address="db:3306", at=make.seconds(9), snapshot=make.snapshot(at=9, wait_timeout="600")),
        others={"IntegrityError 1062": 2},
        notes=("times were read as UTC",),
    )


def text_of(told, width=80, *, terminal=False):
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=terminal)
    show(told, console)
    return console.file.getvalue()


def test_the_json_has_what_scripts_ask_for(answer):
    told = json.loads(json.dumps(facts(answer, RULES), allow_nan=False))
    assert told["named"] == "idle_timeout"
    assert told["certainty"] == "proved"
    assert told["confidence"] == 0.95
    first = told["causes"][0]
    assert first["cause"] == "idle_timeout"
    assert first["title"] == RULES.get("idle_timeout").title
    assert first["reference"] == RULES.get("idle_timeout").reference
    assert first["evidence"] == [
        {"fact": "idle 612 s", "source": "exception", "supports": True},
        {"fact": "uptime 9 d", "source": "SHOW STATUS", "supports": False},
    ]
    assert first["remedy"] == {
        "text": "Recycle earlier.",
        "commands": ["pool_recycle=300"],
        "cost": "a reconnect now and then",
    }
    assert first["settle"] == ["the error log"]
    assert [loss["named"] for loss in told["losses"]] == ["idle_timeout", "unknown"]
    assert told["losses"][0]["first"] == "2026-03-01T12:00:00Z"
    assert [one["mark"] for one in told["timeline"]] == ["start", "crash", "loss"]
    assert told["log"]["lives"][0]["ending"] == "crash"
    assert told["log"]["aborts"]["by_hour"][1] == {"hour": "2026-03-01T12:00:00Z", "count": 8}
    assert told["log"]["noise"] == [{"host": "10.0.0.2", "period": 10.0, "count": 900}]
    assert told["server"]["wait_timeout"] == 600
    assert told["others"] == {"IntegrityError 1062": 2}


def test_where_nothing_is_named_the_json_says_unknown_and_what_to_collect(make):
    unknown = make.explanation(make.attribution(certainty=Certainty.POSSIBLE), named=False)
    told = facts(Answer(cases=(case(make, unknown),)), RULES)
    assert told["named"] == "unknown"
    assert told["certainty"] is None
    assert told["confidence"] == 0.0
    assert told["collect"] == ["the error log"]
    assert told["log"] is None
    assert told["server"] is None


def test_nothing_at_all_has_the_same_shape(answer):
    assert facts(Answer(), RULES).keys() == facts(answer, RULES).keys()


def test_the_first_line_says_it(answer, make):
    assert verdict(answer, RULES) == ("Idle longer than wait_timeout: idle 612 s, wait_timeout 600 s (3 of 4 losses)")
    likely = make.explanation(make.attribution(certainty=Certainty.LIKELY))
    one = Answer(cases=(case(make, likely),))
    assert verdict(one, RULES) == "Probably idle longer than wait_timeout: idle 612 s, wait_timeout 600 s"


def test_the_first_line_says_what_is_not_known(make):
    possible = [
        make.attribution(name, Certainty.POSSIBLE) for name in ("idle_timeout", "server_restart", "killed", "crash")
    ]
    one = Answer(cases=(case(make, make.explanation(*possible, named=False)),))
    said = verdict(one, RULES)
    assert said.startswith("Not settled; possible: idle 612 s, wait_timeout 600 s (idle_timeout); server ")
    assert said.endswith("; and 1 more")
    none = Answer(cases=(case(make, make.explanation()),))
    assert verdict(none, RULES) == f"Unknown: none of the {len(RULES)} causes fits what was given"
    assert "alive" in verdict(Answer(others={"IntegrityError 1062": 2}), RULES)


def test_two_proofs_are_no_name(make):
    both = [make.attribution(name) for name in ("idle_timeout", "crash")]
    said = verdict(Answer(cases=(case(make, make.explanation(*both, named=False)),)), RULES)
    assert said.startswith("Not settled; at once proved: idle longer than wait_timeout; server crashed")


@pytest.mark.parametrize("width", [80, 160])
def test_the_text_fits_and_begins_with_the_verdict(answer, width):
    told = facts(answer, RULES)
    lines = text_of(told, width).splitlines()
    assert lines[0] == told["verdict"]
    assert all(len(line) <= width for line in lines[1:])
    assert all(line == line.rstrip() for line in lines)
    shown = "\n".join(lines)
    for expected in ("✓ idle 612 s", "✗ uptime 9 d", "pool_recycle=300", "noise:", "server crashed", "times are UTC"):
        assert expected in shown


def test_a_pipe_gets_no_colours_and_a_terminal_does(answer):
    told = facts(answer, RULES)
    assert "\x1b" not in text_of(told)
    assert "\x1b[" in text_of(told, terminal=True)


def test_what_servers_and_applications_say_cannot_command_a_terminal_or_a_browser(make, answer):
    bad = make.attribution(sentence=HOSTILE, evidence=(Evidence(HOSTILE, HOSTILE),))
    moments = (Moment(at=make.seconds(0), mark=Mark.LOSS, text=HOSTILE, source=HOSTILE),)
    log = replace(answer.logs[0], name=HOSTILE)
    hostile = Answer(
        cases=(case(make, make.explanation(bad), subject=HOSTILE, source=HOSTILE), *answer.cases),
        timeline=moments,
        logs=(log,),
        look=Look(address=HOSTILE, at=make.seconds(0), error=HOSTILE),
        others={HOSTILE: 1},
        notes=(HOSTILE,),
    )
    told = facts(hostile, RULES)
    assert "\x1b" not in text_of(told)
    written = page(told)
    assert "<script" not in written
    assert "\x1b" not in written
    assert written.count("&lt;script&gt;") >= 9
    assert not re.search(r"=\"[^\"]*<", written)


def test_passwords_are_masked_whatever_text_they_stand_in(make):
    secret = make.attribution(sentence="SET PASSWORD = 'hunter22' by mysql://root:hunter22@db/x")
    told = facts(Answer(cases=(case(make, make.explanation(secret)),), notes=("IDENTIFIED BY 'hunter22'",)), RULES)
    assert "hunter22" not in json.dumps(told)
    assert "***" in told["verdict"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202eb", "a\\u202eb"),
        ("tab\tline\n", "tab\tline\n"),
        ("é✓", "é✓"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text, shown):
    assert clean(text) == shown


def test_the_page_is_one_file_and_whole(answer):
    written = page(facts(answer, RULES))
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|<script|https?://""", written)
    assert "prefers-color-scheme: dark" in written
    assert "@media print" in written
    assert not re.search(r"\$[a-z_]+", written)

    class Balance(HTMLParser):
        open: list[str]

        def handle_starttag(self, tag, _attrs):
            if tag not in {"meta", "br"}:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Balance()
    parser.open = []
    parser.feed(written)
    assert parser.open == []


def test_the_page_tells_the_whole_answer(answer):
    written = page(facts(answer, RULES))
    told = [
        "<h1>Idle longer than wait_timeout: ",
        "pool_recycle=300",
        'class="mark crash"',
        'class="up"',
        "What would settle it",
        "10.0.0.9",
        "a monitor or a port check",
        "db:3306",
        "IntegrityError 1062 (2)",
        'class="against"',
    ]
    assert [one for one in told if one not in written] == []
    assert len(re.findall(r"<h1>", written)) == 1


def test_a_page_of_nothing_is_still_a_page():
    assert "Nothing to explain" in page(facts(Answer(), RULES))


def test_a_year_of_hours_is_drawn_in_few_bars(make):
    hours = [{"hour": f"{make.seconds(hour * 3600):%Y-%m-%dT%H:%M:%SZ}", "count": 1} for hour in range(0, 9000, 7)]
    drawn = bars(hours)
    assert drawn.count("<i ") <= 100
    assert f"{len(hours):,} aborted connections" in drawn


def test_hours_without_aborts_are_gaps(make):
    hours = [{"hour": f"{make.seconds(hour * 3600):%Y-%m-%dT%H:%M:%SZ}", "count": 5} for hour in (0, 3)]
    assert re.findall(r"height:([\d.]+)%", bars(hours)) == ["100.0", "0.0", "0.0", "100.0"]


def test_times_of_one_day_name_it_once(make):
    assert span(make.seconds(0), make.seconds(9)) == "2026-03-01 12:00:00 to 12:00:09 UTC"
    assert span(make.seconds(0), make.seconds(0.4)) == "2026-03-01 12:00:00 UTC"
    assert span(make.seconds(0), make.seconds(86400)) == "2026-03-01 12:00:00 to 2026-03-02 12:00:00 UTC"
    assert span(None, None) == ""


def test_several_logs_are_added_up(answer, make):
    other = LogView(name="other.log", summary=make.summary(make.entry(Kind.OOM_KILL), aborts=Aborts(total=1)))
    told = facts(replace(answer, logs=(*answer.logs, other)), RULES)
    assert told["log"]["files"] == ["error.log", "other.log"]
    assert told["log"]["aborts"]["total"] == 13
    assert told["log"]["lines"] == 200
    assert told["log"]["counts"] == {"out-of-memory kill": 1}
