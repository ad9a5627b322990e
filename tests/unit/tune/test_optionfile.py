"""Option files are read as servers read them, and kept byte for byte whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.tune.optionfile import Kind, parse

PIECES = st.sampled_from(
    [
        *(b"[mysqld]", b"[", b"]", b"wait_timeout", b"=", b" ", b"\t", b"\r", b"\n", b"\r\n", b"#", b";", b'"', b"'"),
        *(b"\\", b"!include", b"!includedir ", b"/x", b"\xef\xbb\xbf", b"\xa0", b"\0", b"600", b"skip-name-resolve"),
    ]
)


def options(data: bytes) -> list[tuple[bytes, bytes, bytes | None]]:
    return [(line.group, line.name, line.value) for line in parse(data).lines if line.kind is Kind.OPTION]


@given(st.one_of(st.binary(), st.lists(PIECES, max_size=40).map(b"".join)))
def test_whatever_the_bytes_are_they_are_written_as_they_were_read(data):
    assert bytes(parse(data)) == data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"key=5", b"5"),
        (b"  key \t=\t 5 \r", b"5"),
        (b'key = "a b"', b"a b"),
        (b"key = 'a b'", b"a b"),
        (b'key = "a#b" # c', b"a#b"),
        (b"key = a # b", b"a"),
        (b"key = it's # still it", b"it's # still it"),
        (b'key = "', b'"'),
        (b'key = ""', b""),
        (b"key =", b""),
        (b"key = # nothing", b""),
        (b"key = a\\sb\\tc\\qd\\\\", b"a b\tc\\qd\\"),
        (b'key = "a\\"b"', b'a"b'),
        (b"key = a=b", b"a=b"),
        (b"key = 5\xa0", b"5"),
        (b"key", None),
        (b"key # comment", None),
    ],
)
def test_an_options_value_is_what_servers_make_of_it(text, value):
    assert options(b"[mysqld]\n" + text) == [(b"mysqld", b"key", value)]


def test_where_the_value_stands_can_be_replaced_inside_its_quotes():
    line = parse(b'[mysqld]\n  key = "old" # why\r\n').lines[1]
    start, end = line.value_at
    assert line.raw[:start] + b"new" + line.raw[end:] == b'  key = "new" # why\r\n'


@pytest.mark.parametrize(("text", "group"), [(b"[mysqld ]", b"mysqld"), (b"[ mysqld]", b" mysqld"), (b"[a] x", b"a")])
def test_white_space_before_a_groups_name_is_part_of_it(text, group):
    assert options(text + b"\nkey") == [(group, b"key", None)]


def test_a_group_goes_on_after_an_include():
    assert options(b"[mysqld]\n!include /x.cnf\nkey=1") == [(b"mysqld", b"key", b"1")]


@pytest.mark.parametrize("text", [b"# key=1", b" ; key=1", b"", b"\t\r", b"!unheard /x", b"!INCLUDE /x"])
def test_comments_blanks_and_unheard_directives_are_nothing(text):
    assert [line.kind for line in parse(b"[mysqld]\n" + text + b"\n").lines[1:]] == [Kind.NOTHING]


@pytest.mark.parametrize(
    ("data", "number", "said"),
    [
        (b"key=1\n[mysqld]\n", 1, "before any"),
        (b"[mysqld\nkey=1\n", 1, "isn't closed"),
        (b"\xef\xbb\xbf[mysqld]\nkey=1\n", 1, "byte order mark"),
        (b"[mysqld]\nkey=\0\n", 2, "NUL"),
        (b"[mysqld]\nkey=" + b"a" * 4090 + b"\n", 2, "4094"),
        (b"[mysqld]\n =5\n", 2, "no name"),
        (b"[mysqld]\n!includedir \n", 2, "names nothing"),
    ],
)
def test_what_servers_stop_at_is_a_problem_of_its_line(data, number, said):
    found = dict(parse(data).problems)
    assert said in found[number]


def test_a_lone_carriage_return_ends_no_line():
    assert options(b"[mysqld]\nkey=1\rother=2\n") == [(b"mysqld", b"key", b"1\rother=2")]
