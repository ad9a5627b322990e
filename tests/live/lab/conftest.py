"""A wire in front of each server, and ways to connect through it."""

from __future__ import annotations

import contextlib

import pymysql
import pytest

from stillhere.lab.wire import Wire


@pytest.fixture
def wire(server):
    """A wire in front of ``server``."""
    with Wire(server.host, server.port, plain=True) as one:
        yield one


@pytest.fixture
def connect(database):
    """Connects as the lab's application, to a wire or a server; everything is closed after the test."""
    opened = []

    def connect_to(place, **options):
        one = pymysql.connect(
            host=place.host,
            port=place.port,
            user="stillhere",
            password="stillhere",
            database=database,
            **{"read_timeout": 10} | options,
        )
        opened.append(one)
        return one

    yield connect_to
    for one in opened:
        with contextlib.suppress(pymysql.Error):
            one.close()


@pytest.fixture
def table(server, database):
    """An InnoDB table with a number."""
    name = f"{database}.t"
    server.execute(f"CREATE TABLE {name} (a INT PRIMARY KEY AUTO_INCREMENT, b LONGTEXT)")
    return name
