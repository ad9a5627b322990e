"""What the tests of continuity share: a database behind a wire, reached with each driver."""

from __future__ import annotations

import contextlib
import importlib
import threading
import time

import pytest

import stillhere
from stillhere import events
from stillhere.continuity.inquiry import INQUIRY, Inquiry
from stillhere.lab.wire import By, Cut, When, Wire

MODULES = {"mysqlclient": "MySQLdb", "pymysql": "pymysql"}

# Longer than the time within which a statement that follows another is sent without a look at the socket.
IDLE = 0.06


class Room:
    """One fresh database behind a wire, and everything that was opened towards it.

    Attributes:
        server: the server itself; `ask` speaks to it past the wire.
        database: the fresh schema.
        driver: ``mysqlclient`` or ``pymysql``.
        dbapi: its module.
        wire: what connections made here run through.
        events: all events since the room was made.
    """

    def __init__(self, server, database, driver, wire):
        self.server, self.database, self.driver, self.wire = server, database, driver, wire
        self.dbapi = importlib.import_module(MODULES[driver])
        self.events = []
        self._opened = []
        self._threads = []

    @property
    def mariadb(self):
        return self.server.flavour.value == "MariaDB"

    def url(self, options="", **kwargs):
        url = self.server.url(database=self.database, driver=self.driver, **{"port": self.wire.port, **kwargs})
        return f"{url}{'&' if '?' in url else '?'}plugin=stillhere{options}"

    def engine(self, policy=None, *, options="", **kwargs):
        from sqlalchemy import create_engine  # noqa: PLC0415 - most tests do without

        if policy is not None:
            kwargs["stillhere"] = policy
        engine = create_engine(self.url(options), **kwargs)
        self._opened.append(engine.dispose)
        return engine

    def arguments(self, **kwargs):
        """For the driver's own ``connect``."""
        return {
            "host": self.wire.host, "port": self.wire.port, "user": "stillhere", "password": "stillhere",
            "database": self.database, "charset": "utf8mb4", **kwargs,
        }  # fmt: skip

    def connect(self, policy=None, **kwargs):
        """A bare continuous connection; a transaction is open from its first statement unless ``autocommit``."""
        connection = stillhere.connect(self.dbapi, stillhere=policy, **self.arguments(**kwargs))
        self._opened.append(connection.close)
        return connection

    def ask(self, sql):
        """Rows of one statement, from the server itself, autocommitted."""
        with contextlib.closing(self.server.admin()) as admin, admin.cursor() as cursor:
            admin.select_db(self.database)
            cursor.execute(sql)
            return list(cursor.fetchall())

    def count(self, table="t"):
        return self.ask(f"SELECT COUNT(*) FROM {table}")[0][0]

    def lose_idle(self):
        """Reset every connection while nothing is in flight; what comes next will look first."""
        self.wire.reset_all()
        time.sleep(IDLE)

    def cut(self, match, when=When.AFTER_EXECUTED, by=By.RST, **kwargs):
        """Cut at a statement; by default the server runs it and the reply is lost."""
        return self.wire.cut(Cut(match, when, by=by, **kwargs))

    def overhear(self):
        """A list that fills with the statements that pass from now on, in upper case."""
        heard = []

        def note(command):
            heard.append(command.bare or command.kind)
            return False

        self.cut(note)
        return heard

    def kill(self, thread_id):
        """KILL a thread and wait until the server has let go of it."""
        self.ask(f"KILL {thread_id}")
        self.wait_until(lambda: not self.processes(f"ID = {thread_id}"))
        time.sleep(IDLE)

    def processes(self, where):
        return self.ask(f"SELECT ID FROM information_schema.PROCESSLIST WHERE {where}")

    def wait_until(self, condition, seconds=10.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it did not come about within {seconds} s"
            time.sleep(0.01)

    def in_flight(self, words):
        """Wait until the wire carries a statement that begins so; the server's thread id of it."""
        found = []

        def look():
            found[:] = [
                one.thread_id
                for one in self.wire.connections
                if one.in_flight and one.in_flight.bare.startswith(words.upper())
            ]
            return found

        self.wait_until(look)
        return found[0]

    def meanwhile(self, act):
        """Run ``act`` in a thread; joined, and its exception raised, at the end of the test or by `join`."""
        thread = Meanwhile(act)
        self._threads.append(thread)
        thread.start()
        return thread

    def recorded(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def actions(self):
        """How each loss was continued."""
        return [event.action for event in self.recorded(events.Recovery)]

    def close(self):
        for thread in self._threads:
            thread.join()
        for close in self._opened:
            with contextlib.suppress(Exception):
                close()


class Meanwhile(threading.Thread):
    """A thread whose exception isn't lost."""

    def __init__(self, act):
        super().__init__(daemon=True)
        self._act, self._error, self.result = act, None, None

    def run(self):
        try:
            self.result = self._act()
        except BaseException as error:  # noqa: BLE001 - raised again by join
            self._error = error

    def join(self, timeout=60):
        super().join(timeout)
        assert not self.is_alive(), "the thread is still busy"
        if self._error is not None:
            error, self._error = self._error, None
            raise error


@pytest.fixture(autouse=True)
def _nobody_inquires(request, monkeypatch):
    """No thread asks beside the tests, whose statements and events are counted; but for those that ask for it."""
    if "inquiring" not in request.fixturenames:
        monkeypatch.setattr(Inquiry, "_ensure_running", lambda _self: None)
    yield
    INQUIRY.drop()


@pytest.fixture(params=list(MODULES))
def driver(request):
    """Each driver in turn."""
    pytest.importorskip(MODULES[request.param])
    return request.param


@pytest.fixture
def wire(server):
    """A wire in front of ``server``."""
    with Wire(server.host, server.port) as one:
        yield one


@pytest.fixture
def room(server, database, driver, wire):
    """A database behind a wire, for each server and driver."""
    one = Room(server, database, driver, wire)
    listener = events.listen(one.events.append)
    yield one
    events.unlisten(listener)
    one.close()


@pytest.fixture
def table(room):
    """``t (id, v)``, empty, with an auto-increment ``id``."""
    room.ask("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    return "t"


@pytest.fixture
def rows(room, table):
    """``t`` with the rows (1, 10), (2, 20), (3, 30)."""
    room.ask("INSERT INTO t (v) VALUES (10), (20), (30)")
    return table


def run(connection, sql, args=None):
    """Execute on a fresh cursor; its rows, () for none."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(sql, args)
        return tuple(cursor.fetchall()) if cursor.description else ()


@pytest.fixture(name="run")
def run_fixture():
    """`run`, for tests."""
    return run
