"""Each log of tests/cases/logs gives the entries, lives and counts that stand beside it, read or skimmed."""

from __future__ import annotations

import io
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillhere.errorlog.entry import Kind
from stillhere.errorlog.formats import Clock
from stillhere.errorlog.parser import parse
from stillhere.errorlog.reader import Summarising, read, sniff
from stillhere.errorlog.source import opened

LOGS = Path(__file__).parents[2] / "cases" / "logs"
NAMES = sorted(path.stem for path in LOGS.glob("*.log"))
UNTIL = datetime(2025, 12, 1, tzinfo=UTC)


def expected(name):
    """What stands beside the log: ``LINE KIND field=value …``, and what the summary has to say."""
    lines = (LOGS / f"{name}.expected").read_text(encoding="utf-8").splitlines()
    return [shlex.split(line) for line in lines]


def entries(name):
    return list(parse(LOGS / f"{name}.log", until=UNTIL))


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    return str(len(value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("name", NAMES)
def test_the_entries_are_those_beside_the_log(name):
    wanted = [words for words in expected(name) if words[0].isdigit()]
    found = entries(name)
    assert [(entry.line, entry.kind.name) for entry in found] == [(int(words[0]), words[1]) for words in wanted]
    for entry, words in zip(found, wanted, strict=True):
        for word in words[2:]:
            if "~" in word.partition("=")[0]:
                field, _, part = word.partition("~")
                assert part in getattr(entry, field), word
            else:
                field, _, value = word.partition("=")
                assert plain(getattr(entry, field)) == value, word


@pytest.mark.parametrize("name", NAMES)
def test_the_summary_says_what_stands_beside_the_log(name):
    summary = read(LOGS / f"{name}.log", until=UNTIL)
    wanted = expected(name)
    lives = [words for words in wanted if words[0] == "life"]
    assert [life.ending.name for life in summary.lives] == [words[1] for words in lives]
    for life, words in zip(summary.lives, lives, strict=True):
        for word in words[2:]:
            field, _, value = word.partition("=")
            assert plain(getattr(life, field)) == value, word
    for key, *values in wanted:
        if key == "unknown":
            assert summary.unknown == int(values[0])
        elif key == "formats":
            assert summary.formats == tuple(values)
        elif key == "aborts":
            assert summary.aborts.total == int(values[0])
    assert [[noise.host, str(noise.period), str(noise.count)] for noise in summary.noise] == [
        words[1:] for words in wanted if words[0] == "noise"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_all_entries_of_a_small_log_are_in_its_summary(name):
    summary = read(LOGS / f"{name}.log", until=UNTIL)
    assert summary.entries == tuple(entries(name))
    assert summary.omitted == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 7, 300, 1 << 20])
def test_a_block_that_is_skimmed_says_what_its_lines_say_when_they_are_read(name, size):
    def summary(*, fast):
        with opened(LOGS / f"{name}.log") as log:
            return Summarising(Clock(until=UNTIL), fast=fast).summary(log, size if fast else 1 << 20)

    assert summary(fast=True) == summary(fast=False)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_recognised_as_a_log(name):
    assert sniff((LOGS / f"{name}.log").read_bytes()[:4000])


def test_every_kind_has_a_case():
    wanted = {words[1] for name in NAMES for words in expected(name) if words[0].isdigit()}
    assert wanted == {kind.name for kind in Kind}


def test_no_password_is_left_in_any_entry():
    for name in NAMES:
        for entry in entries(name):
            assert "hunter22" not in repr(entry), name


def test_a_stream_is_read_as_its_file_is():
    path = LOGS / "mysql8.log"
    assert list(parse(io.BytesIO(path.read_bytes()), until=UNTIL)) == entries("mysql8")
