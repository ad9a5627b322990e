"""Schemas with something to mend, and the command."""

from __future__ import annotations

import json

import pytest

from stillhere.cli.main import main
from stillhere.lab.servers import start_server


@pytest.fixture
def own(server):
    """A server of the same family for this test alone; ``server`` shows that there is one."""
    with start_server(server.flavour) as one:
        one.execute("CREATE DATABASE shop")
        yield one


@pytest.fixture
def maintain(capsys, monkeypatch, tmp_path):
    """Runs the command in a directory of the test's: exit code, and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(server, *args, user="root", password="", database=""):
        code = main(["maintain", server.url(user, password, database, driver="pymysql"), *map(str, args)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


@pytest.fixture
def as_json(maintain):
    """The same, parsed."""

    def run(server, *args, **account):
        code, text = maintain(server, *args, "--json", **account)
        return code, json.loads(text)

    return run


@pytest.fixture
def fragmented():
    """Makes a table whose file is mostly free space, some tens of MiB."""

    def make(server, name="shop.frag"):
        server.execute(
            f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, filler VARCHAR(8000) CHARACTER SET latin1)"
        )
        server.execute(f"INSERT INTO {name} (filler) VALUES (REPEAT('x', 7000))")
        for _ in range(12):
            server.execute(f"INSERT INTO {name} (filler) SELECT filler FROM {name}")
        server.execute(f"DELETE FROM {name} WHERE id > 10")

    return make
