"""One look at a server, and the failure to take it."""

from __future__ import annotations

import contextlib

import pymysql
import pytest
from sqlalchemy import make_url

from stillhere.cli import look as module
from stillhere.cli.look import look
from stillhere.errorlog.entry import Kind
from stillhere.errorlog.summary import Ending
from stillhere.survey.take import NotAllowed

URL = "mysql+pymysql://app:hunter22@db.example/shop"
ABORT = "Aborted connection 9 to db: 'shop' user: 'app' host: '10.0.0.9' (Got timeout reading communication packets)."
ROWS = [{"at": 1772366400.5, "thread": 9, "severity": "Note", "code": "MY-010914", "part": "Server", "said": ABORT}]


@pytest.fixture
def server(monkeypatch, make):
    """A server that answers with a snapshot and, to the question for its log, as the test says."""

    class Server:
        log: object = []

        @contextlib.contextmanager
        def login(self, _url, **_limits):
            yield self.ask

        def ask(self, sql):
            assert "performance_schema.error_log" in sql
            if isinstance(self.log, Exception):
                raise self.log
            return self.log

    one = Server()
    monkeypatch.setattr(module, "login", one.login)
    monkeypatch.setattr(module, "take", lambda *_: make.snapshot())
    return one


def test_the_servers_own_log_is_read_by_a_query(server):
    server.log = ROWS
    seen = look(URL)
    assert seen.address == "db.example:3306"
    assert [(one.kind, one.user, one.line) for one in seen.log.entries] == [(Kind.ABORTED, "app", 0)]
    assert seen.log.first.isoformat() == "2026-03-01T12:00:00.500000+00:00"


def test_a_log_that_may_not_be_read_is_none(server):
    server.log = NotAllowed("needs SELECT")
    seen = look(URL)
    assert seen.snapshot is not None
    assert seen.log is None


@pytest.mark.parametrize("code", [1045, 2003])
def test_a_refusal_is_kept_without_the_password(monkeypatch, code):
    @contextlib.contextmanager
    def refused(_url, **_limits):
        raise pymysql.err.OperationalError(code, "no: hunter22 at mysql://app:hunter22@db/x")
        yield

    monkeypatch.setattr(module, "login", refused)
    seen = look(URL)
    assert (seen.code, seen.driver, seen.snapshot) == (code, "PyMySQL", None)
    assert seen.error.startswith("no: ***")
    assert "hunter22" not in seen.error


def test_an_asynchronous_driver_is_replaced_for_the_look():
    shown = module._synchronous(make_url("mysql+aiomysql://app@db/x"))
    assert shown.drivername in {"mysql+mysqldb", "mysql+pymysql"}
    assert module._synchronous(make_url(URL)).drivername == "mysql+pymysql"


def test_the_log_tells_of_lives_before_this_one(server):
    said = [
        (1772366400.0, "System", "MY-010116", "/usr/sbin/mysqld (mysqld 8.4.3) starting as process 7"),
        (
            1772366401.0,
            "System",
            "MY-013172",
            "Received SHUTDOWN from user root. Shutting down mysqld.",
        ),
        (1772366402.0, "System", "MY-010910", "/usr/sbin/mysqld: Shutdown complete (mysqld 8.4.3)."),
        (1772366403.0, "System", "MY-010116", "/usr/sbin/mysqld (mysqld 8.4.3) starting as process 9"),
    ]
    server.log = [
        {"at": at, "thread": 0, "severity": severity, "code": code, "part": "Server", "said": text}
        for at, severity, code, text in reversed(said)  # the newest first, as it is asked for
    ]
    assert [life.ending for life in look(URL).log.lives] == [Ending.CLEAN, Ending.RUNNING]
