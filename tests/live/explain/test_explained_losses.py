"""A real loss, the stock traceback, the server's own error log and the server itself: the injected cause comes out.

Each loss has a server of its own, so that its log holds nothing but what happened to it.
"""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest
from sqlalchemy import create_engine, text

from stillhere.cli import main
from stillhere.errors import LabError
from stillhere.lab.servers import start_server

DRIVERS = ("mysqlclient", "pymysql")
FLAVOURS = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("mariadb", "mysql")]
LOGGED = {"mysql": {"log_error_verbosity": 3}, "mariadb": {"log_warnings": 2}}
SLOW = "SELECT SLEEP(30)"


@pytest.fixture(params=FLAVOURS)
def own(request):
    """A server of that flavour for one test, which logs aborted connections."""
    try:
        server = start_server(request.param, variables=LOGGED[request.param])
    except LabError as error:
        if request.param == "mysql":
            pytest.skip(str(error))
        raise
    with server:
        server.execute("CREATE DATABASE app")
        yield server


class Application:
    """A stock SQLAlchemy application with a pool of one, and the log that it writes."""

    def __init__(self, server, driver, path):
        self.server = server
        self.url = server.url(user="root", password="", database="app", driver=driver)
        self.log = path
        self.engine = create_engine(self.url, pool_size=1, max_overflow=0)
        self.read("SELECT 1")

    def read(self, statement, **parameters):
        with self.engine.connect() as connection:
            connection.execute(text(statement), parameters).all()

    def loses(self, statement="SELECT 1 AS one", **parameters):
        """Run a statement that fails, and write what any application writes of it."""
        handler = logging.FileHandler(self.log)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s app: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
        logger = logging.Logger("app")  # noqa: LOG001 - of this test alone, with its own file
        logger.addHandler(handler)
        try:
            self.read(statement, **parameters)
        except Exception:
            logger.exception("Exception on /match/1/ [GET]")
        else:
            pytest.fail("the connection was not lost")
        finally:
            handler.close()
            self.engine.dispose()


@pytest.fixture(params=DRIVERS)
def application(request, own, tmp_path):
    return Application(own, request.param, tmp_path / "app.log")


@pytest.fixture
def explained(application, capsys):
    """What is explained from the traceback, with the error log, the URL, or both beside it."""

    def explain(*, log=False, url=False):
        args = ["explain", str(application.log), "--json"]
        args += ["--log", str(application.server.error_log)] if log else []
        args += ["--url", application.url] if url else []
        assert main.main(args) == 0
        return json.loads(capsys.readouterr().out)

    return explain


def settled(explained, cause):
    """The log names the cause, with and without the server; less than that never names another."""
    assert explained(log=True)["named"] == cause
    both = explained(log=True, url=True)
    assert both["named"] == cause
    assert both["server"]["reached"]
    for less in (explained(), explained(url=True)):
        assert less["named"] in {cause, "unknown"}
        assert cause in {one["cause"] for one in less["causes"] if one["certainty"] != "unlikely"}
    return both


def test_idle_for_longer_than_wait_timeout(application, explained):
    application.engine.dispose()
    grown_up(application.server)
    application.server.set_global({"wait_timeout": 1})
    application.read("SELECT 1")
    eventually(lambda: not connections(application.server))
    application.server.set_global({"wait_timeout": 28800})
    application.loses()
    settled(explained, "idle_timeout")


def test_a_server_that_crashes_under_a_statement(application, explained):
    with while_running(application.server, application.server.crash):
        application.loses(SLOW)
    application.server.start()
    told = settled(explained, "crash")
    assert "crash" in {one["mark"] for one in told["timeline"]}


def test_a_server_that_is_restarted_under_a_statement(application, explained):
    with while_running(application.server, application.server.stop):
        application.loses(SLOW)
    application.server.start()
    told = settled(explained, "server_restart")
    assert "shutdown" in {one["mark"] for one in told["timeline"]}


def test_a_server_that_was_restarted_while_the_pool_slept(application, explained):
    application.server.restart()
    application.loses()
    # 2013 doesn't tell whether it was cut just now: a start that took its time leaves it open, with this cause on top.
    for told in (explained(log=True), explained(log=True, url=True)):
        assert told["causes"][0]["cause"] == "server_restart"
        assert told["named"] in {"server_restart", "unknown"}


def test_a_statement_that_is_too_large(application, explained):
    application.engine.dispose()
    grown_up(application.server)
    application.server.set_global({"max_allowed_packet": 1024**2})
    application.read("SELECT 1")
    application.loses("SELECT LENGTH(:data)", data="x" * 3_000_000)
    settled(explained, "packet_too_large")


def test_a_kill_leaves_nothing_that_proves_it_and_nothing_else_is_named(application, explained):
    grown_up(application.server)
    with while_running(application.server, lambda: kill(application.server)):
        application.loses(SLOW)
    for told in (explained(), explained(log=True), explained(url=True), explained(log=True, url=True)):
        assert told["named"] == "unknown"
        assert "killed" in {one["cause"] for one in told["causes"] if one["certainty"] == "possible"}


def test_a_server_that_is_down_is_told_and_the_log_still_settles_it(application, explained):
    with while_running(application.server, application.server.crash):
        application.loses(SLOW)
    told = explained(log=True, url=True)
    assert told["server"]["reached"] is False
    assert told["losses"][0]["origin"] == "report"
    assert {loss["origin"] for loss in told["losses"]} == {"report", "server"}


def test_a_look_is_polite_and_its_password_stays_secret(own, capsys):
    own.execute("CREATE USER 'app'@'%' IDENTIFIED BY 'hunter22'")
    own.execute("GRANT PROCESS ON *.* TO 'app'@'%'")
    own.execute("SET GLOBAL init_connect = 'SET @token = ''hunter22'''")
    counters = ("Aborted_clients", "Aborted_connects")
    before = [own.execute(f"SHOW GLOBAL STATUS LIKE '{name}'") for name in counters]
    url = own.url(user="app", password="hunter22", driver="pymysql")
    assert main.main(["explain", "--url", url, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["server"]["reached"]
    assert "hunter22" not in captured.out + captured.err
    assert [own.execute(f"SHOW GLOBAL STATUS LIKE '{name}'") for name in counters] == before


class while_running:  # noqa: N801 - reads as the words that it stands for
    """Does something to the server as soon as the slow statement runs; waits until it is done."""

    def __init__(self, server, deed):
        self._server = server
        self._thread = threading.Thread(target=self._strike, args=(deed,))

    def _strike(self, deed):
        eventually(lambda: connections(self._server, SLOW))
        deed()

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join()


def connections(server, statement=None):
    rows = server.execute("SELECT id, info FROM information_schema.processlist WHERE db = 'app'")
    return [number for number, info in rows if statement is None or info == statement]


def grown_up(server):
    """Wait until it is older than what clocks may differ by: a loss just after a start would be one by a restart."""
    eventually(lambda: int(server.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) > 4)


def kill(server):
    for number in connections(server, SLOW):
        server.execute(f"KILL {number}")


def eventually(happens, deadline=30.0):
    end = time.monotonic() + deadline
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
