"""Which files are checked, and that no file, whatever is in it, ends the run."""

from __future__ import annotations

import os

import pytest

from stillhere.errors import ConfigurationError
from stillhere.lint import lint_paths, lint_source
from stillhere.lint.config import Config
from stillhere.lint.source import MAX_BYTES

BAD = 'from sqlalchemy import create_engine\n\nengine = create_engine("mysql://app@db.example/shop")\n'


def messages(report) -> list[str]:
    return [f"{one.finding.rule} {one.finding.message}" for one in report.found]


def test_folders_that_are_somebody_elses_are_left_out(folder):
    for name in (".venv", ".git", "node_modules", "build", "__pycache__", "site-packages"):
        folder.write(f"{name}/db.py")
    folder.write("own/pyvenv.cfg", "")
    folder.write("own/lib/db.py")
    folder.write("app/db.py")
    folder.write("app/notes.txt")
    assert folder.found() == [("app/db.py", 3, "SH101")]


def test_a_file_that_is_named_is_checked_wherever_it_is(folder):
    folder.write("build/db.py")
    assert folder.found("build/db.py") == [("build/db.py", 3, "SH101")]


def test_what_git_ignores_is_left_out_and_what_is_taken_back_is_not(folder):
    folder.write(".gitignore", "generated/\n*_local.py\n!keep_local.py\n/top.py\n# note\n")
    folder.write("generated/db.py")
    folder.write("app/db_local.py")
    folder.write("app/keep_local.py")
    folder.write("top.py")
    folder.write("app/top.py")
    assert [path for path, _, _ in folder.found()] == ["app/keep_local.py", "app/top.py"]


def test_a_folder_that_is_a_link_is_not_followed(folder):
    folder.write("app/db.py")
    (folder.path / "app" / "again").symlink_to(folder.path / "app")
    assert [path for path, _, _ in folder.found()] == ["app/db.py"]


def test_a_path_named_twice_is_checked_once(folder):
    folder.write("db.py")
    assert len(folder.lint("db.py", ".", "db.py").found) == 1


def test_findings_come_in_the_order_of_files_and_lines(folder):
    folder.write("b.py")
    folder.write("a.py", BAD + 'other = create_engine("mysql://app@db.example/other", pool_size=0)\n')
    assert folder.found() == [("a.py", 3, "SH101"), ("a.py", 4, "SH101"), ("a.py", 4, "SH104"), ("b.py", 3, "SH101")]


def test_a_path_that_is_not_there_is_one_clear_error(folder):
    with pytest.raises(ConfigurationError, match=r"nowhere\.py: no such file or folder"):
        folder.lint("nowhere.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_clear_error(folder):
    folder.write("db.py").chmod(0)
    with pytest.raises(ConfigurationError, match=r"db\.py: no permission to read it"):
        folder.lint("db.py")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"def (:\n", "syntax error for Python"),
        (b"x = 1\n\0\n", "null bytes"),
        (b"# coding: utf-8\nname = '\xff'\n", "not in its encoding"),
        (b"# coding: nosuch\n", "unknown encoding"),
        (b"x = " + b"(" * 5000 + b"\n", "SH001"),
        (b"x = " + b"-" * 100_000 + b"1\n", "SH001"),
        (b"import sqlalchemy\nx = '''" + b"x" * MAX_BYTES + b"'''\n", "not checked: 5,000,"),
    ],
    ids=["syntax", "null", "bytes", "encoding", "brackets", "depth", "size"],
)
def test_a_file_that_cannot_be_checked_is_one_finding(folder, content, said):
    (folder.path / "broken.py").write_bytes(content)
    folder.write("db.py")
    found = messages(folder.lint())
    assert len(found) == 2
    assert found[0].startswith("SH001")
    assert said in found[0]
    assert found[1].startswith("SH101")


def test_an_expression_too_deep_for_the_rules_is_no_crash(folder):
    folder.write("deep.py", BAD + "x = " + " + ".join(["engine.x()"] * 900) + "\n")
    assert ("deep.py", 3, "SH101") in folder.found()


def test_places_are_counted_in_characters(folder):
    folder.write("db.py", 'from sqlalchemy import create_engine\nä, engine = "ü", create_engine("mysql://db/shop")\n')
    (one,) = folder.lint().found
    assert (one.finding.location.line, one.finding.location.column) == (2, 18)


@pytest.mark.parametrize("content", [b"", b"\n", b"# nothing\n", b"\xef\xbb\xbf", b"\xef\xbb\xbfx = 1\r\n", b"x = 1\r"])
def test_a_file_with_nothing_in_it_has_no_findings(folder, content):
    (folder.path / "empty.py").write_bytes(content)
    assert folder.found() == []


def test_names_that_lead_in_a_circle_end_the_search(folder):
    folder.write(
        "a.py", "from b import engine, x\nfrom sqlalchemy import create_engine\ny = create_engine(x, **engine)\n"
    )
    folder.write("b.py", "from a import engine, x\n")
    folder.write(
        "c.py", "engine = engine\nclass A(A): pass\nx = x.y = x\ndef f(): return f()\nf().execute('SELECT 2')\n"
    )
    assert folder.found() == []


def test_the_projects_own_module_of_a_known_name_does_not_hide_the_package(folder):
    folder.write("sqlalchemy.py", "def create_engine(url): ...\n")
    folder.write("db.py")
    assert folder.found() == [("db.py", 3, "SH101")]


def test_imports_are_followed_although_only_one_file_is_named(folder):
    folder.write("app/__init__.py", "")
    folder.write("app/options.py", "POOL = {'pool_recycle': 40000}\n")
    folder.write(
        "app/db.py",
        """\
        from sqlalchemy import create_engine
        from .options import POOL
        engine = create_engine("mysql://app@db.example/shop", **POOL)
        """,
    )
    assert folder.found("app/db.py") == [("app/db.py", 3, "SH102")]


@pytest.mark.parametrize("name", ["tests/helpers.py", "app/test/db.py", "test_db.py", "db_test.py", "conftest.py"])
def test_an_engine_of_the_tests_never_grows_old(folder, name):
    folder.write(name)
    folder.write("testing/db.py")
    assert folder.found() == [("testing/db.py", 3, "SH101")]


def test_a_text_without_a_file_is_checked_too():
    assert [one.finding.rule for one in lint_source(BAD).found] == ["SH101"]


def test_counts_are_those_of_the_files_that_were_read(folder):
    folder.write("a.py", "x = 1\ny = 2\n")
    folder.write("b.py")
    report = folder.lint()
    assert (report.files, report.lines) == (2, 5)


def test_no_paths_at_all_check_nothing(tmp_path):
    assert lint_paths([], Config(root=tmp_path)).found == []
