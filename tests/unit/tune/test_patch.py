"""A patch changes the fewest bytes that give a variable its value, and nothing the second time."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stillhere.errors import ConfigurationError
from stillhere.server.versions import parse_version
from stillhere.tune.optionfile import parse
from stillhere.tune.patch import diff, with_value
from stillhere.tune.spelling import conventions, same_value

VARIABLES = ("wait_timeout", "skip_name_resolve", "max_connections", "max_allowed_packet")
MYSQL = conventions(parse_version("9.7.0"), VARIABLES)
MARIADB = conventions(parse_version("10.11.2-MariaDB"), VARIABLES)

LINES = st.sampled_from(
    [
        *("[mysqld]", "[client]", "[server]", "[mysqld_safe]", "# a comment", "", "; another", "!includedir /etc/none"),
        *(
            "wait_timeout=5",
            "wait-timeout = 5",
            '  wait_timeout = "5" # why',
            "loose_wait_timeout = 0x",
            "wait_timeout",
        ),
        *("skip-name-resolve", "skip_name_resolve=0", "disable-skip-name-resolve", "max_connections = 99"),
        *("user = mysql", "password = secret", "wait_timeout =", "wait_timeout = # nothing", "\twait_timeout='5'"),
    ]
)


def patched(data, variable="wait_timeout", value="600", rules=MARIADB):
    return bytes(with_value(parse(data), variable, value, rules))


def value_of(data, variable, rules):
    found = [rules.meaning(line) for line in parse(data).lines]
    return [value for name, value in filter(None, found) if name == variable][-1]


@given(
    st.lists(LINES, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([("wait_timeout", "600"), ("skip_name_resolve", "ON"), ("skip_name_resolve", "OFF")]),
    st.sampled_from([MYSQL, MARIADB]),
)
def test_after_a_patch_the_server_reads_the_value_and_a_second_patch_changes_nothing(
    lines, newline, ended, want, rules
):
    data = newline.join(lines).encode() + (newline.encode() if ended else b"")
    assume(not parse(data).problems)
    once = patched(data, *want, rules)
    assert same_value(value_of(once, want[0], rules), want[1])
    assert patched(once, *want, rules) == once


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_every_other_line_is_kept_and_at_most_one_is_new(lines, newline):
    data = newline.join(["[mysqld]", *lines, ""]).encode()
    before = data.split(b"\n")
    after = patched(data).split(b"\n")
    if len(before) == len(after):
        assert sum(one != other for one, other in zip(before, after, strict=True)) <= 1
    else:
        assert len(after) == len(before) + 1
        at = next(n for n, line in enumerate(after) if n >= len(before) or before[n] != line)
        assert after[:at] + after[at + 1 :] == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[mysqld]\nwait_timeout=5\n", "[mysqld]\nwait_timeout=600\n"),
        ("[mysqld]\r\n\twait-timeout  =  '5'  # why\r\n", "[mysqld]\r\n\twait-timeout  =  '600'  # why\r\n"),
        ("[mysqld]\nloose_wait_timeout = 5", "[mysqld]\nloose_wait_timeout = 600"),
        ("[mysqld]\nwait_timeout=5\nwait_timeout=6\n", "[mysqld]\nwait_timeout=5\nwait_timeout=600\n"),
        ("[client]\nwait_timeout=5\n[mysqld]\na=1\n", "[client]\nwait_timeout=5\n[mysqld]\na=1\nwait_timeout=600\n"),
        ("[mysqld]\n  a = 1\n\n# end\n", "[mysqld]\n  a = 1\n  wait_timeout = 600\n\n# end\n"),
        ("[mysqld]\na=1", "[mysqld]\na=1\nwait_timeout=600"),
        ("[client]\nuser=x\n", "[client]\nuser=x\n\n[mysqld]\nwait_timeout = 600\n"),
        ("", "[mysqld]\nwait_timeout = 600\n"),
        ("[mysqld]\nwait_timeout =\n", "[mysqld]\nwait_timeout =600\n"),
        ("[mysqld]\nwait_timeout\n", "[mysqld]\nwait_timeout = 600\n"),
        ("[mariadb]\na=1\n", "[mariadb]\na=1\nwait_timeout=600\n"),
        ("[mysqld]\n[client]\nb=1\n", "[mysqld]\nwait_timeout = 600\n[client]\nb=1\n"),
        ("[mysqld]\nwait_timeout=600 # 10m\n", "[mysqld]\nwait_timeout=600 # 10m\n"),
    ],
)
def test_the_line_keeps_its_manner(before, after):
    assert patched(before.encode()) == after.encode()


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("[mysqld]\n skip-name-resolve # dns\n", "OFF", "[mysqld]\n skip_name_resolve = OFF # dns\n"),
        ("[mysqld]\nskip-name-resolve=0\n", "OFF", "[mysqld]\nskip_name_resolve = OFF\n"),
        ("[mysqld]\nskip-skip-name-resolve\n", "ON", "[mysqld]\nskip_name_resolve = ON\n"),
        ("[mysqld]\ndisable_skip_name_resolve='1'\n", "ON", "[mysqld]\nskip_name_resolve = ON\n"),
        ("[mysqld]\nskip-name-resolve\n", "ON", "[mysqld]\nskip-name-resolve\n"),
    ],
)
def test_a_form_that_says_the_value_itself_gives_way_to_one_that_can_be_set(before, value, after):
    assert patched(before.encode(), "skip_name_resolve", value, MYSQL) == after.encode()


def test_the_same_size_in_other_words_is_left_as_it_is():
    data = b"[mysqld]\nmax_allowed_packet = 64M\n"
    assert patched(data, "max_allowed_packet", "67108864") == data


def test_a_file_that_servers_cannot_read_is_not_patched():
    with pytest.raises(ConfigurationError, match="line 1 is an option before any"):
        patched(b"wait_timeout=5\n[mysqld]\n")


def test_passwords_are_masked_in_the_diff():
    before = parse(b"[mysqld]\n" + b'password = "s3cret # x"\n#old passwd: s3cret\nwsrep_sst_auth=u:s3cret\n')
    shown = "\n".join(diff(before, with_value(before, "wait_timeout", "600", MARIADB), "my.cnf"))
    assert "s3cret" not in shown
    assert "password = ***" in shown
    assert "+wait_timeout=600" in shown


def test_without_a_change_there_is_no_diff():
    file = parse(b"[mysqld]\nwait_timeout=600\n")
    assert diff(file, with_value(file, "wait_timeout", "600", MARIADB), "my.cnf") == []
