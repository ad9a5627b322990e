"""Real servers for all live tests: private ones, started when first asked for, one of each kind a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stillhere.errors import LabError
from stillhere.lab.servers import Flavour, Server, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTED: list[Server] = []


def _serve(flavour: Flavour) -> Iterator[Server]:
    try:
        server = start_server(flavour)
    except LabError as error:
        pytest.skip(f"no {flavour.title} here: {error}")
    with server:
        _STARTED.append(server)
        yield server
        _STARTED.remove(server)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A MariaDB server."""
    yield from _serve(Flavour.MARIADB)


@pytest.fixture(scope="session")
def mysql() -> Iterator[Server]:
    """A MySQL server."""
    yield from _serve(Flavour.MYSQL)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ],
)
def server(request: pytest.FixtureRequest) -> Server:
    """One server of each kind in turn."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def _standing() -> Iterator[None]:
    """Whatever a test did to a server, the next test finds it up."""
    yield
    for server in _STARTED:
        server.thaw()
        if not server.running:
            server.start()
