"""A logical connection over the fake driver, ready to be broken."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from stillhere import events
from stillhere.continuity import fence, watchdog
from stillhere.continuity.endpoint import Endpoint
from stillhere.continuity.inquiry import INQUIRY, Inquiry
from stillhere.policy import Policy
from stillhere.testing import fake_driver
from stillhere.testing.fake_driver import FAKE
from stillhere.testing.fake_server import FakeServer

_names = itertools.count()


class Rig:
    """One server, one endpoint, and what was told of it."""

    def __init__(self, server: FakeServer, policy: Policy) -> None:
        self.server = server
        self.endpoint = Endpoint(FAKE, policy, f"fake-{next(_names)}:3306")
        self.events: list[events.Event] = []
        self.connections: list[object] = []

    def connect(self, *, prologue=(), autocommit=False, **options):
        """A connection as the application gets it: the prologue is over."""
        options = {"server": self.server, "autocommit": autocommit, **options}
        connection = self.endpoint.connect(lambda: fake_driver.connect(**options))
        self.connections.append(connection)
        for sql in prologue:
            connection.cursor().execute(sql)
        connection._stillhere.ledger.end_prologue()
        self.server.log.clear()
        return connection

    def own(self, *, since: int = 0) -> list[bytes]:
        """What was sent since, without what stillhere asks when it opens a connection or looks at a schema."""
        return [sql for sql in self.server.statements()[since:] if b"information_schema" not in sql]


@pytest.fixture(autouse=True)
def _nobody_inquires(monkeypatch):
    """No thread asks the fakes anything, unless a test does it itself."""
    monkeypatch.setattr(Inquiry, "_ensure_running", lambda _self: None)
    yield
    INQUIRY.drop()


@pytest.fixture
def server():
    made = FakeServer()
    made.table("t", "id", "x")
    made.tables["t"].rows.update({1: (1, 10), 2: (2, 20)})
    made.tables["t"].next_id = 3
    yield made
    made.close()


@pytest.fixture
def make_rig(server, monkeypatch):
    """Makes a rig under a policy; no waiting, no watchdog thread unless a test asks for one."""
    monkeypatch.setattr(fence, "_GRACE", 0.0)
    monkeypatch.setattr(watchdog, "ensure_running", lambda: None)
    made: list[Rig] = []

    def make(**policy) -> Rig:
        rig = Rig(server, Policy(**{"detect_within": 0, "ride_through": 1.0, **policy}))
        events.listen(rig.events.append)
        made.append(rig)
        return rig

    yield make
    for rig in made:
        events.unlisten(rig.events.append)
        for connection in rig.connections:
            FAKE.discard(connection)


@pytest.fixture
def rig(make_rig):
    return make_rig()


@pytest.fixture
def run():
    """Execute on a new cursor; returns it."""

    def run(connection, sql, args=None, cursor=None):
        made = connection.cursor(cursor)
        made.execute(sql, args)
        return made

    return run


@pytest.fixture
def idle():
    """Let a connection have been idle for so many seconds, without waiting."""

    def idle(connection, seconds: float = 1.0) -> SimpleNamespace:
        connection._stillhere.last_used -= seconds
        return SimpleNamespace(seconds=seconds)

    return idle
