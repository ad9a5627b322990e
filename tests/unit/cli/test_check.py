"""``stillhere check URL`` says in one line what stands between a URL and a protected application."""

from __future__ import annotations

import socket
import sys

import pytest

from stillhere.cli.main import main

SECRET = "hunter22"


@pytest.fixture
def plugin():
    """The SQLAlchemy plugin, for what the command leaves to it."""
    return pytest.importorskip("stillhere.integrations.sqlalchemy")


@pytest.fixture
def dead_port():
    """A loopback port on which nothing listens, and on which nothing will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def complaint(capsys, url: str, *args: str) -> str:
    assert main(["check", url, *args]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("stillhere: ")
    assert captured.err.count("\n") == 1
    assert SECRET not in captured.out + captured.err
    return captured.err


@pytest.mark.parametrize("url", ["shop", "", "mysql:/db", f"mysql+pymysql://alice:{SECRET}@db:port/shop"])
def test_what_is_no_url_is_answered_with_the_shape_of_one(capsys, url):
    assert "mysql+pymysql://USER@HOST:3306/DATABASE" in complaint(capsys, url)


def test_another_database_is_named(capsys):
    assert "'postgresql'" in complaint(capsys, f"postgresql+psycopg://alice:{SECRET}@db/shop")


def test_a_dialect_that_sqlalchemy_does_not_have_is_named(capsys):
    assert "no dialect 'mysql+nosuch'" in complaint(capsys, f"mysql+nosuch://alice:{SECRET}@db/shop")


def test_a_driver_that_is_not_installed_comes_with_the_command_that_installs_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)
    said = complaint(capsys, f"mysql+pymysql://alice:{SECRET}@db/shop")
    assert "pip install PyMySQL" in said


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("query", ["plugin=stillhere&stillhere.ride_trough=5s", "stillhere.ride_trough=5s"])
def test_an_unknown_option_is_named_with_those_that_there_are(capsys, query):
    said = complaint(capsys, f"mysql+pymysql://alice:{SECRET}@127.0.0.1/shop?{query}")
    assert "stillhere.ride_trough" in said
    assert "ride_through" in said


@pytest.mark.usefixtures("plugin")
def test_a_malformed_duration_is_named_with_the_ways_to_write_one(capsys):
    said = complaint(capsys, f"mysql+pymysql://alice:{SECRET}@127.0.0.1/shop?stillhere.ride_through=soon")
    assert "stillhere.ride_through" in said
    assert "'soon'" in said


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_server_that_is_not_there_is_said_at_once(capsys, driver, dead_port):
    url = f"mysql+{driver}://alice:{SECRET}@127.0.0.1:{dead_port}/shop?stillhere.ride_through=60s"
    said = complaint(capsys, url, "--timeout", "1")
    assert "127.0.0.1" in said


@pytest.mark.usefixtures("plugin")
def test_a_url_without_the_plugin_is_told_how_to_switch_it_on(capsys, dead_port):
    main(["check", f"mysql+pymysql://alice:{SECRET}@127.0.0.1:{dead_port}/shop?charset=utf8mb4"])
    assert "&plugin=stillhere" in capsys.readouterr().out
