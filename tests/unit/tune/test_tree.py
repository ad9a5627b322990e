"""Included files are followed: who sets a variable, who wins, and what could not be seen."""

from __future__ import annotations

import pytest

from stillhere.errors import ConfigurationError
from stillhere.server.versions import parse_version
from stillhere.survey.origins import Origin, SettingFacts
from stillhere.tune.change import Change
from stillhere.tune.cnf import file_plan
from stillhere.tune.spelling import conventions
from stillhere.tune.tree import read_tree

RULES = conventions(parse_version("10.11.2-MariaDB"), ("wait_timeout",))


@pytest.fixture
def write(tmp_path):
    def one(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    return one


def places(reading):
    return [(setting.path.name, setting.line, setting.value) for setting in reading.of("wait_timeout")]


def change(value="600"):
    return Change(name="wait_timeout", before="5", after=value, finding=None)


def plan_for(path, facts=None):
    return file_plan(read_tree(path, RULES), [change()], RULES, {} if facts is None else {"wait_timeout": facts})


def test_a_directorys_files_are_read_in_the_order_of_their_names_and_only_cnf(write, tmp_path):
    for name, value in (("conf.d/z.cnf", 3), ("conf.d/a.cnf", 2), ("conf.d/b.cnf.bak", 9), ("conf.d/b.ini", 9)):
        write(name, f"[mysqld]\nwait_timeout={value}\n")
    path = write("my.cnf", f"[mysqld]\nwait_timeout=1\n!includedir {tmp_path}/conf.d\n")
    reading = read_tree(path, RULES)
    assert places(reading) == [("my.cnf", 2, "1"), ("a.cnf", 2, "2"), ("z.cnf", 2, "3")]


def test_what_stands_after_an_include_wins_over_it(write, tmp_path):
    write("other.cnf", "[mysqld]\nwait_timeout=2\n")
    path = write("my.cnf", f"[mysqld]\n!include {tmp_path}/other.cnf\nwait_timeout=1\n")
    assert places(read_tree(path, RULES)) == [("other.cnf", 2, "2"), ("my.cnf", 3, "1")]
    assert plan_for(path).blocked == {}


def test_a_line_that_an_included_file_overrules_is_not_written(write, tmp_path):
    write("conf.d/z.cnf", "[mysqld]\nwait_timeout=3\n")
    path = write("my.cnf", f"[mysqld]\nwait_timeout=1\n!includedir {tmp_path}/conf.d\n")
    found = plan_for(path)
    assert bytes(found.after) == path.read_bytes()
    assert found.changed == ()
    assert f"{tmp_path}/conf.d/z.cnf:2 sets it to 3 and is read later" in found.blocked["wait_timeout"]


def test_includes_that_go_round_end_where_servers_end(write, tmp_path):
    path = write("my.cnf", f"[mysqld]\nwait_timeout=1\n!include {tmp_path}/my.cnf\n")
    reading = read_tree(path, RULES)
    assert len(places(reading)) == 11
    assert "10 files deep" in reading.gaps[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!include other.cnf\n", "where that is depends"),
        ("!includedir /nonexistent/conf.d\n", "can't be read"),
        ("wait_timeout=1\n", "before any"),
    ],
)
def test_what_can_not_be_followed_is_told(write, text, said):
    assert said in read_tree(write("my.cnf", text), RULES).gaps[0]


def test_an_included_file_that_is_missing_is_passed_over_as_servers_do(write):
    reading = read_tree(write("my.cnf", "[mysqld]\n!include /nonexistent/other.cnf\n"), RULES)
    assert reading.gaps == ()


def test_a_file_that_everybody_may_write_is_one_that_servers_pass_over(write, tmp_path):
    write("other.cnf", "[mysqld]\nwait_timeout=2\n").chmod(0o666)
    reading = read_tree(write("my.cnf", f"!include {tmp_path}/other.cnf\n"), RULES)
    assert places(reading) == []
    assert "writable for everybody" in reading.gaps[0]


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match="is no file"):
        read_tree(tmp_path / "none.cnf", RULES)
    with pytest.raises(ConfigurationError, match="is no file"):
        read_tree(tmp_path, RULES)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (SettingFacts(origin=Origin.COMMAND_LINE), "command line, which wins"),
        (SettingFacts(origin=Origin.FILE, path="/elsewhere/my.cnf"), "/elsewhere/my.cnf, which is not among"),
        (SettingFacts(origin=Origin.DEFAULT), "it was not started with this file"),
        (SettingFacts(origin=Origin.PERSISTED, persisted="7"), "mysqld-auto.cnf holds wait_timeout = 7"),
    ],
)
def test_what_else_decides_a_value_is_told(write, facts, said):
    assert said in plan_for(write("my.cnf", "[mysqld]\nwait_timeout=60\n"), facts).notices[0]
