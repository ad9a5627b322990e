"""``stillhere lint``: four formats, three exit codes, and standard input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from stillhere.cli import render
from stillhere.cli.main import main
from stillhere.lint.rules import RULES

BAD = 'from sqlalchemy import create_engine\n\nengine = create_engine("mysql://app@db.example/shop", pool_size=0)\n'
LIVENESS = "create_engine() has neither pool_pre_ping nor pool_recycle, so it hands out connections that died idle"
MENDED = BAD.replace("pool_size=0)", "pool_size=0, pool_pre_ping=True)")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> Path:
    """A project with one file, and the command is run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "db.py").write_text(BAD, encoding="utf-8")
    (tmp_path / "fine.py").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def stdin(monkeypatch):
    """Give the command something to read."""

    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command; exit code, standard output, standard error."""

    def ran(*args: str) -> tuple[int, str, str]:
        for name in ("results", "messages"):
            monkeypatch.setattr(getattr(render, name), "_width", 80)
        code = main(["lint", *args])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return ran


def test_text_is_a_line_a_finding_and_a_count(run):
    code, out, err = run(".")
    assert code == 1
    assert out.splitlines() == [
        f"db.py:3:10 SH101 {LIVENESS} [*]",
        "db.py:3:55 SH104 pool_size=0 lets the pool take every connection that the server has",
        "2 findings, 2 files checked; 1 marked [*] can be mended with --fix",
    ]
    assert err == ""


def test_nothing_found_is_0(run):
    assert run("fine.py") == (0, "nothing found, 1 file checked\n", "")


@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_the_exit_code_is_the_same_in_every_format(run, output):
    assert run("db.py", "--format", output)[0] == 1
    assert run("fine.py", "--format", output)[0] == 0
    assert run("db.py", "--format", output, "--exit-zero")[0] == 0


def test_json_is_an_array_of_rows(run):
    _, out, _ = run("db.py", "--format", "json")
    rows = json.loads(out)
    assert [row["rule"] for row in rows] == ["SH101", "SH104"]
    assert rows[1] == {
        "path": "db.py",
        "line": 3,
        "column": 55,
        "rule": "SH104",
        "severity": "warning",
        "message": "pool_size=0 lets the pool take every connection that the server has",
        "fixable": False,
    }
    assert rows[0]["fixable"] is True
    assert run("fine.py", "--format", "json")[1] == "[]\n"


def test_sarif_names_every_rule_and_the_places(run):
    _, out, _ = run("db.py", "--format", "sarif")
    log = json.loads(out)
    (part,) = log["runs"]
    rules = part["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["SH001", *(rule.id for rule in RULES)]
    for result in part["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "db.py", "uriBaseId": "SRCROOT"}
        assert place["region"]["startLine"] == 3


def test_github_commands_are_escaped(run, project):
    odd = project / "a,b%20.py"
    odd.write_text(BAD, encoding="utf-8")
    _, out, _ = run(odd.name, "--format", "github")
    first, second = out.splitlines()
    assert first.startswith("::warning file=a%2Cb%2520.py,line=3,col=10,title=SH101::create_engine() has neither")
    assert second.startswith("::warning file=a%2Cb%2520.py,line=3,col=55,title=SH104::")


def test_select_and_ignore_narrow_the_rules(run):
    assert [row["rule"] for row in json.loads(run(".", "--format", "json", "--select", "SH104")[1])] == ["SH104"]
    assert [row["rule"] for row in json.loads(run(".", "--format", "json", "--ignore", "SH104")[1])] == ["SH101"]


def test_fix_mends_the_file_and_says_so(run, project):
    code, out, _ = run(".", "--fix")
    assert code == 1
    assert out.splitlines()[-1] == "1 finding, 2 files checked; 1 mended"
    assert (project / "db.py").read_text(encoding="utf-8") == MENDED


def test_standard_input_is_checked(run, stdin):
    stdin(BAD)
    code, out, _ = run("-")
    assert code == 1
    assert out.startswith("<stdin>:3:10 SH101 ")


def test_standard_input_with_fix_goes_to_standard_output(run, stdin):
    stdin(BAD)
    code, out, err = run("-", "--fix")
    assert (code, out) == (1, MENDED)
    assert err == "1 finding, 1 file checked; 1 mended\n"


def test_standard_input_without_anything_to_mend_comes_out_as_it_was(run, stdin):
    stdin("x = 1\n")
    assert run("-", "--fix")[:2] == (0, "x = 1\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "name what to check"),
        (("nowhere",), "nowhere: no such file or folder"),
        ((".", "--format", "xml"), "xml"),
        ((".", "--select", "XX"), "--select: no rule begins with 'XX'"),
        ((".", "--ignore", "SH9"), "--ignore: no rule begins with 'SH9'"),
        (("--explain", "SH999"), "unknown rule 'SH999'"),
    ],
)
def test_a_mistake_is_one_line_and_2(run, args, said):
    code, out, err = run(*args)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


def test_a_malformed_setting_is_one_line_and_2(run, project):
    (project / "pyproject.toml").write_text("[tool.stillhere.lint]\nidle-limit = 'a'\n", encoding="utf-8")
    code, out, err = run(".")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "idle-limit: write a number of seconds over 0, found 'a'" in err


def test_explain_shows_the_page(run):
    code, out, _ = run("--explain", "SH101")
    assert code == 0
    assert out.startswith("# SH101: engine-without-liveness\n")
    assert "## Use instead" in out


def test_a_password_in_the_source_is_never_shown(run, project):
    (project / "db.py").write_text(BAD.replace("app@", "app:s3cret-word@"), encoding="utf-8")
    for output in ("text", "json", "sarif", "github"):
        _, out, err = run(".", "--format", output)
        assert "SH101" in out
        assert "s3cret" not in out + err
