"""Servers of the doctor's own: what others did to theirs stays in its counters."""

from __future__ import annotations

import pytest

from stillhere.doctor.case import Settings
from stillhere.doctor.examination import Instructions, examine
from stillhere.doctor.target import Target, targets_of
from stillhere.findings import Severity

FLAVOURS = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("mariadb", "mysql")]


@pytest.fixture(scope="module", params=FLAVOURS)
def patient(request, start):
    """A server as it comes, but for the lab's own shortcut: it resolves names."""
    with start(request.param, {"skip_name_resolve": "OFF", "performance_schema": "ON"}) as server:
        yield server


@pytest.fixture(params=FLAVOURS)
def own(request, start):
    """A server for one test, which leaves its counters in disorder."""
    with start(request.param, {"performance_schema": "ON"}) as server:
        yield server


@pytest.fixture
def seen():
    """Has the doctor look at a server; what it found that is more than a note, by rule."""

    def look(server, *, account="root", driver="pymysql", engines=(), socket=False, log=None, **options):
        place = f"localhost/?unix_socket={server.socket}" if socket else f"127.0.0.1:{server.port}/"
        [target] = targets_of([f"mysql+{driver}://{account}@{place}"])
        found = examine(
            Target(target.address, target.url, engines), Instructions(settings=Settings(**options), timeout=10, log=log)
        )
        assert found.error == ""
        return found

    return look


@pytest.fixture
def rules(seen):
    """The same, the rules' names alone."""

    def look(server, **options):
        return {one.rule for one in seen(server, **options).findings if one.severity > Severity.INFO}

    return look
