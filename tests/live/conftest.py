"""Real servers for the tests: one of each flavour for each worker, started when the first test asks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

import pytest

from stillhere.errors import LabError
from stillhere.lab.servers import Setting, start_server

SKIPPED = os.environ.get("STILLHERE_LAB_SKIP", "").replace(",", " ").split()
FLAVOURS = ("mariadb", "mysql")


def started(name: str, variables: Mapping[str, Setting] | None = None):
    """A server of that flavour; the test is skipped where it was said that there is none."""
    if name in SKIPPED:
        pytest.skip(f"STILLHERE_LAB_SKIP says that there is no {name} server")
    try:
        return start_server(name, variables=variables)
    except LabError as error:
        if name == "mysql":
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server for this worker. A test that changes or ends it puts it back."""
    with started("mariadb") as server:
        yield server


@pytest.fixture(scope="session")
def mysql():
    """A MySQL server for this worker. A test that changes or ends it puts it back."""
    with started("mysql") as server:
        yield server


@pytest.fixture(scope="session")
def start():
    """Starts a server of a flavour's name, with variables of its own. The caller closes it."""
    return started


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in FLAVOURS])
def server(request):
    """Each flavour's server in turn, running."""
    one = request.getfixturevalue(request.param)
    one.thaw()
    one.start()  # a test before this one may have left it down
    return one


@pytest.fixture
def database(server):
    """The name of a fresh, empty schema on ``server``."""
    name = f"t{secrets.token_hex(6)}"
    server.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    server.thaw()
    server.start()
    server.execute(f"DROP DATABASE IF EXISTS {name}")
