"""Units of work on real servers: deadlocks between threads, lock waits, and transactions lost with their connection."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

import stillhere

DRIVERS = pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])


@pytest.fixture
def engine(server, driver):
    """An engine under stillhere on a schema of its own, with two accounts."""
    root = create_engine(url(server, driver))
    with root.connect() as connection:
        connection.execute(text("CREATE OR REPLACE DATABASE units" if server.flavour.name == "MARIADB" else FRESH))
    root.dispose()
    made = create_engine(url(server, driver, "units"))
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE account (id INT PRIMARY KEY, cents INT NOT NULL) ENGINE=InnoDB"))
        connection.execute(text("INSERT INTO account VALUES (1, 1000), (2, 1000)"))
    yield made
    made.dispose()


def cents(engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT cents FROM account ORDER BY id")))
