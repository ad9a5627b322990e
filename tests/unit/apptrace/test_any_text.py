"""Whatever a text holds, reading it ends, raises nothing, stays small, and makes nothing up."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_expectations import CASES, case_files

from stillhere.apptrace import Position, parse, passages, read, sniff
from stillhere.apptrace.dress import undress
from stillhere.apptrace.secrets import masked

FILES = case_files()
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FILES}
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What may still be said of a position when the frames further out are gone.
WEAKER = {
    Position.FIRST_STATEMENT: (Position.STATEMENT,),
    Position.FLUSH: (Position.STATEMENT,),
    Position.POOL: (Position.CHECKOUT,),
}
# Errors that the case only mentions as retried, and that are reports of their own where the last one is cut off.
EARLIER = {"celery-raised-unexpected": {2013}, "tenacity": {2013}}

PIECES = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "a.py", line 3, in f\n',
        "    db.commit()\n",
        "MySQLdb.OperationalError: (2006, 'MySQL server has gone away')\n",
        "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2013, 'x')\n",
        "[SQL: SELECT 1]\n",
        "[SQL: SELECT",
        "[parameters: (1, '",
        "(Background on this error at: x)\n",
        "\nThe above exception was the direct cause of the following exception:\n\n",
        "During handling of the above exception (x",
        "  + Exception Group Traceback (most recent call last):\n",
        "  +-+---------------- 1 ----------------\n",
        "    | ",
        "╭─ Traceback (most recent call last) ─╮\n",
        "│ a.py:3 in f │\n",
        "│ ❱ 3 │ x │\n",
        '{"exc_info": "Traceback (most recent call last):\\n',
        '"}\n',
        "**Type:** OperationalError\n",
        "**Value:** (2006, 'x')\n",
        " f in a.py [Line 3] (In app)\n",
        "&quot;",
        "\x1b[31m",
        "2026-03-02 04:17:09,311 ERROR [1] a: ",
        "web-1  | ",
        "> ",
        "\n",
        "\r\n",
        " ",
        "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
        "SQLSTATE[HY000]: General error: 2006 ",
        "\tat a.B.c(B.java:3)\n",
        "Communications link failure\n",
        "\x00",
        "\ud800",
    ]
)


@given(st.text(max_size=400))
@SLOW
def test_any_text_is_read(text):
    assert isinstance(parse(text), list)


@given(st.binary(max_size=400))
@SLOW
def test_any_bytes_are_read_and_sniffed(text):
    assert isinstance(parse(text), list)
    assert isinstance(sniff(text), bool)


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_mixture_of_what_tracebacks_are_made_of_is_read(text):
    for report in parse(text):
        assert report.line >= 1
        assert len(report.message) <= 500
        assert len(report.frames) <= 60


@given(st.sampled_from(sorted(TEXTS)), st.data())
@settings(max_examples=250, deadline=None)
def test_what_is_cut_off_is_not_made_up(name, data):
    """At either end: each fact of the rest is one of the whole's, or unknown."""
    text = TEXTS[name]
    if text.lstrip().startswith("{") or name == "silent-other-sockets":
        return  # a cut document is no document; "invalid connection", cut there, is what Go's driver says
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    whole = parse(text)
    codes = {code for report in whole for code in report.codes} | EARLIER.get(name, set())
    drivers = {report.driver for report in whole} | {""}
    several = any(len(report.codes) != (report.errno is not None) for report in whole)
    positions = {weaker for report in whole for weaker in (report.position, *WEAKER.get(report.position, ()))}
    times = {report.at for report in whole}
    for report in parse(text[start:end]):
        assert set(report.codes) <= codes
        assert report.driver in drivers or name == "aiomysql-statement"  # its classes are PyMySQL's
        assert several or report.position in {*positions, Position.UNKNOWN}
        assert report.at in times | {None} or name in EARLIER
        assert report.idle_ms in {None, *(one.idle_ms for one in whole)}
        assert report.pool in {None, *(one.pool for one in whole)}
        assert several or report.os_error in {None, *(one.os_error for one in whole)}
        assert report.in_transaction in {None, *(one.in_transaction for one in whole)}
        assert report.after_idle in {None, *(one.after_idle for one in whole)}
        assert report.request == "" or any(one.request.endswith(report.request) for one in whole)  # without its method
        assert report.statement_at_least <= max(one.statement_at_least for one in whole)


def test_half_a_place_and_half_a_note_at_the_end_are_none():
    text = TEXTS["lead-flask-mysqlclient-2006"]
    (report,) = parse(text[: text.index("in show_match") + len("in show")])
    assert report.errno == 2006
    assert report.frame is None
    text = TEXTS["notes"]
    (report,) = parse(text[: text.index("wait_timeout 600") + len("wait_timeout 6")])
    assert report.errno == 2006
    assert report.notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "File " * 40_000,
        'File "' + "a" * 200_000,
        "OperationalError: (" * 20_000,
        "OperationalError: (2006, '" + "(" * 200_000,
        "A." * 100_000 + "OperationalError: x",
        "[SQL: " + "SELECT '" * 30_000,
        "OperationalError: (1, 'x')\n[SQL: x]\n[parameters: [" + "{'a': 1}, " * 30_000,
        "OperationalError: (1, 'x')\n[SQL: x]\n[parameters: [" + "('" * 60_000,
        "password=" * 30_000 + " OperationalError: (1, 'x')",
        "OperationalError: (1, \"password='" + "\\" * 100_001,
        "The above exception (" * 20_000,
        "Traceback (most recent call last):\n" * 8_000,
        "Traceback (most recent call last):\n"
        + "During handling of the above exception, another exception occurred:\n\n" * 6_000,
        "╭ Traceback (most recent call last) ╮\n" + "│ a\n" * 30_000,
        "  + Exception Group Traceback (most recent call last):\n"
        + "  | x\n  +---------------- 1 ----------------\n" * 8_000,
        "SQLSTATE[HY000]: General error: " + "a: " * 60_000,
        "PDOException: SQLSTATE[HY000] [2002] " + " in /" * 50_000,
        "Mysql2::Error: " + ":" * 200_000,
        "Communications link failure\n" + "\tat a\n" * 30_000,
        "2026-03-02 04:17:09 " + "[1] " * 40_000 + "Traceback (",
        "> " * 100_000 + "OperationalError: (1, 'x')",
        "\x1b[" + "1;" * 100_000 + "m OperationalError: (1, 'x')",
        "<pre </pre" + "<" * 200_000 + "OperationalError: (1, 'x')",
        "[" * 200_000 + "OperationalError",
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '{"exception": ' + '{"values": [' * 20_000,
        "a\n" * 100_000 + "OperationalError: (1, 'x')\n" + "x = 'y'\n" * 50_000,
        "**Type:** x\n" * 20_000,
        "QueuePool limit of size " + "1" * 100_000,
        "OperationalError: (1, 'x" + " timed out" * 30_000,
    ],
    ids=lambda text: text[:28].strip(),
)
@pytest.mark.timeout(30)  # each takes a fraction of a second; one expression that backtracks takes hours
def test_hostile_texts_are_read_to_their_end(text):
    found = parse(f"{text}\n{TEXTS['raw-pymysql-closed']}")
    assert found[-1].exception == "pymysql.err.InterfaceError"
    assert found[-1].errno == 0


class Endless:
    """A log that is never in memory as a whole: the same block over and over, and it remembers how it was asked."""

    def __init__(self, block: bytes, times: int) -> None:
        self._block = block
        self._left = times
        self._rest = b""
        self.largest = 0

    def read(self, size=-1):
        self.largest = max(self.largest, size)
        while len(self._rest) < size and self._left:
            self._rest += self._block
            self._left -= 1
        out, self._rest = self._rest[:size], self._rest[size:]
        return out

    def readline(self, size=-1):
        self.largest = max(self.largest, size)
        while b"\n" not in self._rest and self._left and len(self._rest) < size:
            self._rest += self._block
            self._left -= 1
        end = self._rest.find(b"\n") + 1 or len(self._rest)
        out, self._rest = self._rest[: min(end, size)], self._rest[min(end, size) :]
        return out


def test_a_long_log_is_read_piece_by_piece_and_each_error_is_found():
    quiet = b"2026-03-02 04:17:09,311 INFO [4711] tournament: GET /match/1/ 200 in 3 ms\n" * 4000
    trace = TEXTS["lead-flask-mysqlclient-2006"].encode()
    stream = Endless(quiet + trace + quiet, 12)
    found = list(read(stream))
    assert len(found) == 12
    assert {report.request for report in found} == {"GET /match/207465601/"}
    assert [report.line for report in found] == [4002 + index * (8000 + trace.count(b"\n")) for index in range(12)]
    assert 0 < stream.largest <= 8 * 1024 * 1024


def test_a_log_of_nothing_but_errors_is_cut_between_them_and_none_is_lost():
    trace = TEXTS["lead-flask-mysqlclient-2006"].encode()
    found = list(read(BytesIO(trace * 400)))
    assert len(found) == 400
    assert len({(report.request, report.statement, report.frame, report.position) for report in found}) == 1


@pytest.mark.parametrize("most", [300, 1500, 2500, 3500, 6000])
def test_wherever_a_passage_is_cut_no_chain_is_cut_in_two(most, monkeypatch):
    monkeypatch.setattr(passages, "SOFT_BYTES", most)
    trace = TEXTS["lead-flask-mysqlclient-2006"]
    found = parse(trace * 9)
    assert [replace(report, line=0) for report in found] == [replace(parse(trace)[0], line=0)] * 9


def test_one_line_without_an_end_is_read_in_pieces():
    stream = Endless(b"x" * 65_536 + b" OperationalError: (2006, 'gone away')", 200)
    assert len(list(read(stream))) >= 0
    assert stream.largest <= 8 * 1024 * 1024


@given(
    st.lists(
        st.sampled_from(["password", "=", "'", '"', "x", " ", ":", "\\", "token", "(", ",", "://", "@"]), max_size=30
    )
)
@SLOW
def test_masking_twice_changes_nothing_more(pieces):
    once = masked("".join(pieces))
    assert masked(once).count("***") >= once.count("***")


@pytest.mark.parametrize(
    "text",
    [
        "password='hunter2'",
        'password="hunter2"',
        "'password': 'hunter2'",
        '"api_token": "hunter2"',
        "Authorization: Bearer hunter2hunter2",
        "passwd = 'hunter2'",
        "SECRET_KEY = 'hunter2'",
        "mysql://app:hunter2@db/x",
        "SET PASSWORD = 'hunter2'",
        "ALTER USER x IDENTIFIED BY 'hunter2'",
        "pwd=hunter2,",
        "db_password = b'hunter2'",
    ],
)
def test_what_is_named_a_secret_is_not_shown(text):
    assert "hunter2" not in masked(text)


def test_a_name_that_only_asks_for_a_password_keeps_its_answer():
    assert masked("Access denied for user 'a'@'b' (using password: YES)").endswith("(using password: YES)")


def test_lines_keep_their_numbers_when_they_are_undressed():
    lines = list(undress([(7, "web-1  |   File"), (9, "x")]))
    assert [(line.number, line.text) for line in lines] == [(7, "  File"), (9, "x")]


def test_the_reader_of_a_missing_file_says_so():
    with pytest.raises(FileNotFoundError):
        list(read(CASES / "nowhere.txt"))
