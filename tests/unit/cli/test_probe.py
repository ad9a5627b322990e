"""``stillhere probe``: what it says and the code that it leaves with, and the quick way that spares imports."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from stillhere.cli.commands import probe
from stillhere.cli.main import main
from stillhere.errors import ConfigurationError

NOWHERE = "mysql+pymysql://app:hunter22@127.0.0.1:1/shop"


@pytest.mark.parametrize("args", [[NOWHERE], ["--ready", NOWHERE], [NOWHERE, "--startup", "--timeout", "500ms"]])
def test_a_server_that_is_not_there_is_not_ready(args, capsys):
    assert main(["probe", *args]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("not ready: ")
    assert "(2003)" in said.err
    assert "hunter22" not in said.err


def test_live_asks_nobody(capsys):
    assert main(["probe", "--live", NOWHERE]) == 0
    assert "not asked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nonsense:hunter22@"], "no SQLAlchemy URL"),
        (["postgresql://localhost/x"], "stillhere is for mysql and mariadb"),
        ([NOWHERE, "--timeout", "soon"], "not a duration"),
        ([NOWHERE, "--timeout"], "--timeout"),
        (["--live", "--ready", NOWHERE], "not several"),
        ([NOWHERE, NOWHERE], "unexpected extra argument"),
        ([NOWHERE, "--quickly"], "--quickly"),
        ([], "Missing argument"),
        (["mysql+pymysql://app:hunter22@127.0.0.1:1/shop?nonsense=1"], "refuses an option of the URL"),
        (["mysql+nodriver://app:hunter22@127.0.0.1:1/shop"], "nodriver"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(args, words, capsys, monkeypatch):
    monkeypatch.delenv("STILLHERE_URL", raising=False)
    assert main(["probe", *args]) == 2
    said = capsys.readouterr().err
    assert words.lower() in said.lower()
    assert said.count("\n") == 1
    assert "hunter22" not in said


def test_the_url_may_come_from_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("STILLHERE_URL", NOWHERE)
    assert main(["probe"]) == 1
    assert "not ready" in capsys.readouterr().err


def test_a_driver_that_never_comes_back_is_left_behind():
    never = threading.Event()
    assert probe._within(0.05, never.wait) == "no answer within 0.05 s"
    never.set()


@pytest.mark.parametrize("args", [[NOWHERE], [NOWHERE, "--live"], [NOWHERE, "--startup"]])
def test_the_quick_way_and_typers_agree(args, capsys):
    code, line = probe.quick([*args, "--timeout", "2s"])
    assert probe.quick([*args, "--timeout=2s"]) is None  # a form that is left to typer
    assert main(["probe", *args, "--timeout=2s"]) == code
    said = capsys.readouterr()
    assert (said.err or said.out) == f"{line}\n"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://db/shop", ("MySQLdb", {"host": "db", "database": "shop"})),
        (
            "mariadb+pymysql://a%40b:p%2Fw+d@db.example:3307/shop?charset=utf8mb4&plugin=stillhere&stillhere.ride_through=3",
            ("pymysql", {"host": "db.example", "port": 3307, "user": "a@b", "password": "p/w+d", "database": "shop",
                         "charset": "utf8mb4"}),
        ),
        ("mysql+mysqldb://root@localhost/?unix_socket=/run/s",
         ("MySQLdb", {"host": "localhost", "user": "root", "unix_socket": "/run/s"})),
    ],
)  # fmt: skip
def test_a_plain_url_is_read_as_sqlalchemy_reads_it(url, expected):
    plain = probe._PLAIN.fullmatch(url)
    arguments = probe._arguments(plain, 2.0)
    limits = {"connect_timeout": 2, "read_timeout": 2}
    assert (probe._MODULES[plain["driver"] or ""], arguments) == (expected[0], expected[1] | limits)


@pytest.mark.parametrize("query", ["ssl_ca=/ca.pem", "ssl_disabled=1", "init_command=SET x"])
def test_what_sqlalchemy_translates_is_left_to_it(query):
    assert probe._arguments(probe._PLAIN.fullmatch(f"mysql://db/shop?{query}"), 2.0) is None


def test_a_bad_url_is_refused_before_anything_is_asked():
    with pytest.raises(ConfigurationError):
        probe._opening("nonsense", 1.0)


def test_a_plain_probe_imports_neither_typer_nor_sqlalchemy():
    code = (
        "import sys; from stillhere.cli.main import main;"
        f"main(['probe', {NOWHERE!r}]);"
        "print(sorted({'typer', 'rich', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
