"""Whatever goes wrong on the command line is one line on stderr and an exit code."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest
import typer

from stillhere import __version__, errors
from stillhere.cli import app, commands, main

PASSWORD = "s3cret/p@ss"  # as people write it: neither character escaped
URL = f"mysql+pymysql://alice:{PASSWORD}@db.example/shop"


@pytest.fixture
def verb(monkeypatch):
    """Put a verb ``break`` on the command line that raises whatever the test says."""
    raised = types.SimpleNamespace(error=None)

    def register(target: typer.Typer) -> None:
        @target.command("break")
        def broken(text: str = "") -> None:
            if raised.error is not None:
                raise raised.error

    module = types.ModuleType("stillhere.cli.commands.broken")
    module.register = register
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(app, "VERBS", ("check", "broken"))
    return raised


def run(*args: str) -> int:
    return main.main(args)


def one_line(capsys) -> str:
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("stillhere: ")
    assert "Traceback" not in captured.err + captured.out
    assert PASSWORD not in captured.err + captured.out
    return captured.err


def test_version_is_the_packages(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"stillhere {__version__}\n"


def test_without_arguments_the_help_is_shown(capsys):
    assert run() == 0
    assert "Usage: stillhere" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.ConfigurationError("unknown option 'stillhere.x'"), "unknown option"),
        (errors.UnknownName("fault", "rest", ("reset",)), "there are: reset"),
        (errors.LabError("mariadbd is not installed"), "mariadbd"),
        (errors.ServerUnavailable("no answer within 3.0 s"), "no answer within 3.0 s"),
        (FileNotFoundError(2, "No such file or directory", "out/drill.json"), "out/drill.json"),
        (ModuleNotFoundError("No module named 'MySQLdb'", name="MySQLdb"), "pip install mysqlclient"),
        (errors.LabError("first\n  second"), "first second"),
    ],
)
def test_a_foreseeable_error_is_one_line_and_exit_code_2(verb, capsys, error, said):
    verb.error = error
    assert run("break") == 2
    assert said in one_line(capsys)


def test_sqlalchemys_own_complaints_about_a_url_lose_their_footnote(verb, capsys):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    verb.error = sqlalchemy.exc.NoSuchModuleError("Can't load plugin: sqlalchemy.plugins:nosuch")
    verb.error.code = "f405"
    assert run("break") == 2
    line = one_line(capsys)
    assert "sqlalchemy.plugins:nosuch" in line
    assert "Background" not in line


def test_a_drivers_error_inside_sqlalchemys_shows_number_and_text_but_no_statement(verb, capsys):
    sqlalchemy, pymysql = pytest.importorskip("sqlalchemy"), pytest.importorskip("pymysql")
    inner = pymysql.err.OperationalError(2003, "Can't connect to MySQL server on 'db.example'")
    verb.error = sqlalchemy.exc.OperationalError("SELECT salary FROM staff", {}, inner)
    assert run("break") == 2
    line = one_line(capsys)
    assert "Can't connect to MySQL server on 'db.example' (2003)" in line
    assert "salary" not in line


@pytest.mark.parametrize("args", [["chekc"], ["check"], ["check", URL, "--nosuch"], ["check", URL, "--timeout", "x"]])
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(capsys, args):
    assert run(*args) == 2
    one_line(capsys)


def test_a_bug_is_one_line_too_and_has_its_own_exit_code(verb, capsys):
    verb.error = KeyError("journal")
    assert run("break") == 70
    assert "--debug" in one_line(capsys)


@pytest.mark.parametrize("where", [["--debug", "break"], ["break", "--debug"]])
def test_debug_shows_the_traceback_without_the_password(verb, capsys, where):
    verb.error = errors.ConfigurationError(f"can't use {URL}")
    assert run(*where, "--text", URL) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert PASSWORD not in shown


def test_debug_can_be_switched_on_by_the_environment(verb, capsys, monkeypatch):
    monkeypatch.setenv("STILLHERE_DEBUG", "1")
    verb.error = errors.LabError("no")
    assert run("break") == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "message",
    [
        f"can't use {URL}",
        f"refused: '{URL}?charset=utf8mb4'",
        f"the password {PASSWORD} is wrong",
        "can't use mysql://db.example/shop?user=alice&password=s3cret%2Fp%40ss",
    ],
)
def test_a_password_is_masked_wherever_it_stands(verb, capsys, message):
    verb.error = errors.ConfigurationError(message)
    assert run("break", "--text", URL) == 2
    line = one_line(capsys)
    assert "***" in line
    assert "s3cret" not in line


def test_ctrl_c_is_130_and_silent(verb, capsys):
    verb.error = KeyboardInterrupt()
    assert run("break") == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_command_may_choose_its_exit_code(verb, capsys):
    verb.error = typer.Exit(1)
    assert run("break") == 1
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_met_with_silence():
    program = "import sys; from stillhere.cli.main import main; sys.exit(main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        run.stdout.close()
        run.stdout = None
        _, said = run.communicate()
    assert (run.returncode, said) == (1, "")


def test_without_the_cli_extra_one_line_tells_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr(main, "find_spec", lambda name: None if name == "typer" else object())
    assert run("--help") == 2
    assert "pip install 'stillhere[cli]'" in one_line(capsys)


def test_help_is_quick_because_no_verb_loads_anything_heavy():
    program = (
        "import sys; from stillhere.cli.main import main; main(['--help']);"
        "heavy = {'sqlalchemy', 'flask', 'waitress', 'pymysql', 'MySQLdb'} & set(sys.modules);"
        "print(heavy or '', file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "drill" in run.stdout
    assert not run.stderr.strip()


def test_every_module_of_commands_is_a_registered_verb():
    files = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(commands.VERBS)
    assert len(commands.VERBS) == len(set(commands.VERBS))


def test_a_verb_without_a_module_is_an_error_and_no_gap():
    with pytest.raises(ModuleNotFoundError):
        app.application(("nosuch",))


@pytest.mark.parametrize("name", commands.VERBS)
def test_every_verb_has_help(capsys, name):
    assert import_module(f"stillhere.cli.commands.{name}").register
    assert run(name, "--help") == 0
    assert f"stillhere {name}" in capsys.readouterr().out
