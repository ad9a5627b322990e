"""The page and the table."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from stillhere.lab.drill.progress import Progress
from stillhere.lab.drill.records import decide
from stillhere.lab.drill.report import page
from stillhere.lab.drill.shots import Outcome
from stillhere.lab.drill.table import closing, milliseconds, round_line, table

HOSTILE = "<script>alert('&\"')</script>"


@pytest.fixture
def rounds(make_round, make_result, make_shot, failing):
    named = make_shot("b", outcome=Outcome.ERROR, error="CommitOutcomeUnknown", named=True)
    arms = (make_result("stock", [failing, make_shot("a")], recovery_ms=None), make_result("stillhere", [named]))
    return [make_round(*arms), make_round(*arms, server="mysql")]


def shown(renderable, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def test_what_servers_and_exceptions_say_is_escaped(make_round, make_result, make_shot):
    bad = make_shot(outcome=Outcome.ERROR, error=HOSTILE, says=HOSTILE)
    written = page([make_round(make_result(HOSTILE, [bad]), title=HOSTILE, summary=HOSTILE)])
    assert "<script" not in written
    assert written.count("&lt;script&gt;") >= 5


def test_the_page_needs_nothing_from_elsewhere(rounds):
    written = page(rounds)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|url\(|@import|https?://""", written)
    assert "prefers-color-scheme: dark" in written
    assert 'name="viewport"' in written


def test_the_page_closes_what_it_opens(rounds):
    class Balance(HTMLParser):
        open: list[str]

        def handle_starttag(self, tag, _attrs):
            if tag not in {"meta", "path", "rect"}:
                self.open.append(tag)

        def handle_endtag(self, tag):
            if tag not in {"path", "rect"}:
                assert self.open.pop() == tag

    parser = Balance()
    parser.open = []
    parser.feed(page(rounds))
    assert parser.open == []


def test_the_page_names_every_link_target(rounds):
    written = page(rounds)
    assert set(re.findall(r'href="#(\w+)"', written)) <= set(re.findall(r'id="(\w+)"', written))


def test_no_placeholder_is_left_in_the_page(rounds):
    assert not re.search(r"\$[a-z_]+", page(rounds))


def test_the_pictures_show_strike_errors_and_good_answers(rounds):
    written = page(rounds)
    assert written.count("<svg") == 4
    for name in ("struck", "good", "error"):
        assert f'class="{name}"' in written


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_the_terminal_and_cuts_no_number(rounds, width):
    text = shown(table(rounds, width), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "never" in text


@pytest.mark.parametrize("width", [80, 140])
def test_the_sum_of_each_arm_fits_on_its_line(rounds, width):
    text = shown(closing(rounds, decide(rounds)), width)
    assert [line.split()[:3] for line in text.splitlines()[:2]] == [
        ["stock", "4", "requests"],
        ["stillhere", "2", "requests"],
    ]


def test_a_round_is_one_line_where_there_is_no_terminal(rounds):
    console = Console(file=io.StringIO(), width=80)
    with Progress(console, 2) as progress:
        progress.said("mariadb", "crash")
        for one in rounds:
            progress.ended(one)
    lines = console.file.getvalue().splitlines()
    assert progress.done == len(lines) == 2
    assert "stock 1 errors" in lines[0]


def test_a_round_that_nobody_noticed_says_so(make_round, make_result):
    assert "no arm noticed it" in str(round_line(make_round(make_result("stock"))))


@pytest.mark.parametrize(("value", "text"), [(None, "never"), (3.2, "3 ms"), (999.0, "999 ms"), (8123.0, "8.1 s")])
def test_durations_are_written_for_people(value, text):
    assert milliseconds(value) == text
