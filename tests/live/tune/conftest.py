"""Servers that a test may spoil, and ways to lose connections on them."""

from __future__ import annotations

import contextlib
import json
import time

import pymysql
import pytest

from stillhere.cli.main import main
from stillhere.lab.servers import start_server


@pytest.fixture
def own(request, server):
    """A server of the same family for this test alone; ``server`` shows that there is one."""
    with start_server(server.flavour, variables=getattr(request, "param", None)) as one:
        yield one


@pytest.fixture
def tune(capsys, monkeypatch, tmp_path):
    """Runs the command: exit code, and what it printed. Undo files without a name go to the test's directory."""
    monkeypatch.chdir(tmp_path)

    def run(server, *args, user="root", password=""):
        url = server.url(user, password, driver="pymysql")
        code = main(["tune", url, *map(str, args)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


@pytest.fixture
def as_json(tune):
    """The same, parsed."""

    def run(server, *args, **account):
        code, text = tune(server, *args, "--json", **account)
        return code, json.loads(text)

    return run


@pytest.fixture
def connect():
    """Connects as the lab's application; everything is closed after the test."""
    with contextlib.ExitStack() as opened:

        def to(server, **options):
            account = {"user": "stillhere", "password": "stillhere"}
            one = pymysql.connect(host=server.host, port=server.port, read_timeout=20, **account | options)
            opened.callback(lambda: one.open and one.close())
            return one

        yield to


def until(condition, seconds=20.0):
    """Wait for something that the server does in its own time; false where it never did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
