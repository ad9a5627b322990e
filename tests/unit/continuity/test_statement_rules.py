"""What holds for all statements; and the parts that the case files don't show."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhere.continuity.sql.lexer import Mode, TokenKind, scan
from stillhere.continuity.statement import Insert, Kind, StatementCache, classify, classify_cached

INSERT = ["INSERT", "INTO", "t", "VALUES", "(", "1", ")", ",", "(", "2", ")"]
NEVER = [
    ["CALL", "p", "(", ")"],
    ["DO", "SLEEP", "(", "1", ")"],
    ["SELECT", "GET_LOCK", "(", "'a'", ",", "1", ")"],
    ["SELECT", "1", "FROM", "t", "WHERE", "a", "=", "`get_lock`", "(", "'a'", ",", "1", ")"],
    ["SELECT", "@x", ":=", "1"],
    ["SELECT", "a", "INTO", "@x", "FROM", "t"],
    ["SELECT", "*", "FROM", "t", "INTO", "OUTFILE", "'x'"],
    ["INSERT", "INTO", "t", "VALUES", "(", "1", ",", "NEXTVAL", "(", "s", ")", ")"],
    [*INSERT, "ON", "DUPLICATE", "KEY", "UPDATE", "a", "=", "1"],
    ["SELECT", "NEXT", "VALUE", "FOR", "s"],
    ["WITH", "a", "AS", "(", "SELECT", "1", ")", "UPDATE", "t", "SET", "a", "=", "1"],
    ["EXPLAIN", "ANALYZE", "SELECT", "1"],
    ["ANALYZE", "UPDATE", "t", "SET", "a", "=", "1"],
    ["BEGIN", "NOT", "ATOMIC", "SELECT", "1"],
    ["SET", "STATEMENT", "max_statement_time", "=", "1", "FOR", "SELECT", "1"],
    ["SET", "sql_mode", "=", "CONCAT", "(", "'a'", ",", "'b'", ")"],
    ["SET", "@a", "=", "@b"],
    ["SET", "GLOBAL", "max_connections", "=", "5"],
    ["SET", "insert_id", "=", "5"],
    ["SET", "a", "=", "1", ",", "timestamp", "=", "5"],
    ["CREATE", "TEMPORARY", "TABLE", "t", "(", "a", "INT", ")"],
    ["CREATE", "TABLE", "t", "(", "a", "INT", ")"],
    ["LOCK", "TABLES", "t", "WRITE"],
    ["COMMIT", "AND", "CHAIN"],
    ["ROLLBACK", "RELEASE"],
    ["START", "TRANSACTION", "WITH", "CONSISTENT", "SNAPSHOT"],
    ["LOAD", "DATA", "INFILE", "'x'", "INTO", "TABLE", "t"],
    ["XA", "START", "'a'"],
    ["HANDLER", "t", "OPEN"],
]
ALWAYS = [
    "SELECT 1",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 'x'",
    "COMMIT",
    "SAVEPOINT a",
    "SET a = 1",
    "USE a",
]
BLANKS = st.sampled_from(
    [" ", "\n", "\t", " /* c */ ", "/**/", " -- c ; ' \n", ' # c " `\n', "/*+ hint */", "\r\n\f\v"]
)
CASE = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])


@given(st.data())
@settings(max_examples=400)
def test_comments_and_case_never_make_a_statement_replayable(data: st.DataObject) -> None:
    parts = data.draw(st.sampled_from(NEVER))
    case = data.draw(CASE)
    text = data.draw(BLANKS)
    for part in parts:
        text += (part if part[0] in "'`" else case(part)) + data.draw(BLANKS)
    for form in (text, text.encode()):
        assert not classify(form).replayable


@given(st.sampled_from(ALWAYS), st.text(min_size=1))
def test_nothing_but_blanks_behind_a_semicolon_is_replayable(statement: str, tail: str) -> None:
    assert classify(f"{statement};{tail}").replayable is (not tail.strip(" \t\r\n\f\v"))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_get_an_answer(data: bytes) -> None:
    assert classify(data) == classify(bytearray(data))
    classify(data, no_backslash_escapes=True, ansi_quotes=True, template=True)


@given(st.text(max_size=200))
def test_arbitrary_text_gets_an_answer(text: str) -> None:
    classify(text)
    classify(text, template=True)


PIECES = [
    "SELECT",
    "INSERT INTO t",
    "SET",
    "WITH",
    "VALUES",
    "(",
    ")",
    ",",
    "=",
    ":=",
    "a",
    "@a",
    "@@b",
    "'x'",
    "1",
    ";",
]
PIECES += [
    "BEGIN",
    "COMMIT",
    "START TRANSACTION",
    "EXPLAIN",
    "CREATE",
    "LOCK",
    ".",
    "%s",
    "ON DUPLICATE KEY UPDATE",
    "/*",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@settings(max_examples=400)
def test_arbitrary_pieces_of_grammar_get_an_answer_and_always_a_reason(pieces: list[str]) -> None:
    statement = classify(" ".join(pieces))
    assert bool(statement.reason) is not statement.replayable
    if statement.kind in (Kind.OTHER, Kind.IMPLICIT_COMMIT):
        assert not statement.replayable


def escaped(text: str, quote: str) -> str:
    """As the drivers do it."""
    table = {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z", '"': '\\"', "'": "\\'", "\\": "\\\\"}
    return quote + "".join(table.get(character, character) for character in text) + quote


@given(st.text(), st.sampled_from("'\""))
def test_a_literal_may_hold_anything(content: str, quote: str) -> None:
    literal = escaped(content, quote)
    for form in (f"SELECT {literal}", f"SELECT {literal}".encode("utf-8", "surrogatepass")):
        statement = classify(form)
        assert statement.kind is Kind.READ
        assert statement.replayable
    hidden = classify(f"SELECT {literal}; DROP TABLE t")
    assert hidden.kind is Kind.OTHER


@given(st.text())
def test_without_backslash_escapes_a_quote_is_doubled(content: str) -> None:
    literal = "'" + content.replace("'", "''") + "'"
    assert classify(f"SELECT {literal}", no_backslash_escapes=True).replayable
    assert classify(f"SELECT {literal};CALL p()", no_backslash_escapes=True).kind is Kind.OTHER


@given(st.text(max_size=30), st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text))
def test_a_fine_scan_and_a_coarse_one_see_the_same_words(literal: str, name: str) -> None:
    text = f"SET a = {escaped(literal, chr(39))}, `{name.replace('`', '``')}` = 5, b := NULL"
    coarse, fine = scan(text, Mode()), scan(text, Mode(fine=True))
    assert coarse.refusal == fine.refusal == ""
    kinds = (TokenKind.WORD, TokenKind.NAME)
    words = [token.text for token in fine.tokens if token.kind in kinds and token.text != "NULL"]
    assert words == [token.text for token in coarse.tokens if token.kind in kinds and token.text != "NULL"]
    assert words[2] == name


def test_a_backslash_before_a_quote_counts_only_without_the_mode() -> None:
    text = r"SELECT 'a\'; DROP TABLE x; -- '"
    assert classify(text).replayable
    assert classify(text, no_backslash_escapes=True).kind is Kind.OTHER


def test_double_quotes_are_for_names_only_with_the_mode() -> None:
    assert classify('SELECT "get_lock"(1, 2)').pin == ""
    assert classify('SELECT "get_lock"(1, 2)', ansi_quotes=True).pin == "GET_LOCK"
    assert classify('SELECT a FROM "x""y"', ansi_quotes=True).tables == ('x"y',)
    assert classify(r'SELECT "a\"; DROP TABLE x; -- "').replayable
    assert classify(r'SELECT "a\"; DROP TABLE x; -- "', ansi_quotes=True).kind is Kind.OTHER


@pytest.mark.parametrize(
    "template",
    [
        "SELECT * FROM t WHERE a = '%s'",
        'SELECT * FROM t WHERE a = "%(a)s"',
        "SELECT * FROM t WHERE a LIKE '%%%s%%'",
        "SELECT * FROM `%s`",
        "SELECT 1 /* %s */",
        "SELECT 1 -- %s",
        "SELECT 1 # %(a)s",
        "SELECT %r",
        "SELECT %d",
        "SELECT '" + "\\'" * 1000 + "%s'",
    ],
)
def test_a_placeholder_that_could_break_out_is_refused_in_a_template_only(template: str) -> None:
    assert classify(template, template=True).kind is Kind.OTHER
    assert classify(template).kind is Kind.READ


@pytest.mark.parametrize(
    "template",
    ["SELECT '100%%' LIKE %s", "SELECT %(a)s, 5 %% 3", "SELECT %%s FROM t", "SELECT a FROM t WHERE a IN %s"],
)
def test_placeholders_are_literals(template: str) -> None:
    assert classify(template, template=True).replayable


@pytest.mark.parametrize(
    ("sql", "insert"),
    [
        ("INSERT INTO t VALUES (1, 2)", Insert("t", None)),
        ("INSERT t (a, `b c`, t.d) VALUE (1, 2, 3)", Insert("t", ("a", "b c", "d"))),
        ("INSERT INTO `x.y`.Tab () VALUES ()", Insert("x.y.Tab", ())),
        ("INSERT INTO t (a) VALUES (1), (2)", Insert("t", ("a",), multi_row=True)),
        ("INSERT INTO t (a) VALUES (NOW()), (2)", Insert("t", ("a",), multi_row=True)),
        ("INSERT INTO t (a) VALUES ROW(f(1)), ROW(f(2))", Insert("t", ("a",), multi_row=True)),
        ("INSERT INTO t (a) VALUES (f(1, (2)))", Insert("t", ("a",))),
        ("INSERT INTO t (a) VALUES ('),('), (2)", Insert("t", ("a",), multi_row=True)),
        ("INSERT INTO t (a) VALUES ('),(')", Insert("t", ("a",))),
        ("INSERT IGNORE INTO t (a) VALUES (1)", Insert("t", ("a",), ignore=True)),
        ("INSERT INTO t (a) VALUES (1) RETURNING id", Insert("t", ("a",), returning=True)),
        (
            "INSERT INTO t (a) VALUES (1) AS n (x) ON DUPLICATE KEY UPDATE a = n.x",
            Insert("t", ("a",), on_duplicate=True),
        ),
        ("INSERT INTO t SET a = 1, `b` = (SELECT c = 1)", Insert("t", ("a", "b"))),
        ("INSERT INTO t PARTITION (p0, p1) (a) VALUES (1)", Insert("t", ("a",))),
        ("INSERT INTO t (a) SELECT 1", Insert("t", ("a",), multi_row=True, select=True)),
        ("INSERT INTO t (SELECT 1)", Insert("t", None, multi_row=True, select=True)),
        (
            "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
            Insert("t", None, multi_row=True, select=True),
        ),
        ("REPLACE INTO t VALUES (1)", None),
        ("INSERT INTO t (%s) VALUES (1)", None),
        ("INSERT INTO", None),
    ],
)
def test_the_parts_of_an_insert(sql: str, insert: Insert | None) -> None:
    statement = classify(sql)
    assert statement.insert == insert
    if insert is not None:
        assert insert.forceable is not (insert.ignore or insert.on_duplicate)


def test_the_names_of_functions_are_kept_for_a_look_up() -> None:
    assert classify("SELECT f(1), `G` (2), app.h(3) FROM t").calls == {"F", "G", "H"}


def test_the_cache_keeps_short_texts_and_forgets_when_full() -> None:
    cache = StatementCache(limit=3, longest=20)
    first = cache["SELECT 1"]
    assert cache["SELECT 1"] is first
    assert cache["SELECT 'a long one, over twenty'"].replayable
    assert len(cache) == 1
    for number in range(5):
        assert cache[f"SELECT {number}"].kind is Kind.READ
        assert len(cache) <= 3
    assert StatementCache(template=True)["SELECT '%s'"].kind is Kind.OTHER
    assert StatementCache(ansi_quotes=True)['SELECT "get_lock"(1)'].pin == "GET_LOCK"


def test_classify_cached_takes_all_three_forms() -> None:
    assert classify_cached("SELECT 1") is classify_cached("SELECT 1")
    assert classify_cached(b"SELECT 1") == classify_cached(bytearray(b"SELECT 1"))
    assert classify_cached("SELECT '%s'").replayable
    assert not classify_cached("SELECT '%s'", template=True).replayable


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES " + ",".join(["(1, 'abc')"] * 100_000),
        "INSERT INTO t VALUES " + ",".join(["(1, NOW())"] * 100_000),
        "INSERT INTO t VALUES (1, _binary'" + "\\0\\'" * 250_000 + "')",
        "SELECT '" + "''" * 500_000,
        "SELECT " + "1" * 1_000_000 + "x",
        "SELECT " + "(" * 1_000_000,
        "SELECT " + "),(" * 300_000,
        "SELECT " + "%(" * 500_000,
        "SELECT " + "_a " * 300_000,
        "SELECT " + "`" * 1_000_000,
        "SELECT " + "/* x */" * 150_000,
        "SELECT " + "-" * 1_000_000,
        "SELECT 1" + " " * 1_000_000 + "x",
        "SELECT " + "a." * 500_000,
        "SET " + "a = 1, " * 100_000,
        "WITH " + "a AS (SELECT 1), " * 50_000,
    ],
    ids=lambda text: re.sub(r"\W+", "-", text[:24] + text[-8:]),
)
def test_a_megabyte_takes_no_longer_than_a_megabyte_should(text: str) -> None:
    """Linear: a quadratic step would take minutes. The bound is loose, for slow machines."""
    began = time.process_time()
    classify(text)
    assert time.process_time() - began < 3
