"""The engines that are compared, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import QueuePool

from stillhere.continuity.witness_table import creation
from stillhere.lab.servers import Server

BARE, PRE_PING, STILLHERE, WITNESS = "bare", "pool_pre_ping", "stillhere", "stillhere, witness"
DRIVERS = ("mysqlclient", "pymysql")
SCHEMA = "bench"

_READ = text("SELECT id, name FROM item WHERE id = :id")
_WRITE = text("UPDATE item SET name = :name WHERE id = 1")


def prepare(server: Server) -> None:
    """The schema that every arm works on."""
    server.execute(f"CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4")
    server.execute(f"CREATE TABLE {SCHEMA}.item (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL)")
    server.execute(f"INSERT INTO {SCHEMA}.item VALUES (1, 'one'), (2, 'two')")
    # A flush to disk at each COMMIT would drown what is measured here in what the disk does.
    server.set_global({"innodb_flush_log_at_trx_commit": 0, "sync_binlog": 0})
    for statement in creation(SCHEMA):
        server.execute(statement)


def engine(server: Server, driver: str, arm: str, port: int | None = None, **options: Any) -> Engine:
    """A new engine; ``port`` is that of a wire. stillhere is switched on by the URL alone."""
    url = make_url(server.url(database=SCHEMA, driver=driver, port=port))
    if arm in {STILLHERE, WITNESS}:
        url = url.update_query_dict({"plugin": "stillhere"})
    if arm == WITNESS:
        url = url.update_query_dict({"stillhere.witness": "on"})
    return create_engine(
        url, pool_size=1, max_overflow=0, poolclass=QueuePool, pool_pre_ping=arm == PRE_PING, **options
    )


def read_request(on: Engine) -> Callable[[], object]:
    """A request with one SELECT, as a web application has it."""

    def request() -> object:
        with on.connect() as connection:
            return connection.execute(_READ, {"id": 1}).all()

    return request


def write_request(on: Engine) -> Callable[[], object]:
    """A request with one UPDATE and its COMMIT."""
    turn = 0

    def request() -> None:
        nonlocal turn
        turn += 1
        with on.begin() as connection:
            connection.execute(_WRITE, {"name": f"name {turn}"})

    return request


def empty_request(on: Engine) -> Callable[[], object]:
    """A connection taken from the pool and given back."""
    return lambda: on.connect().close()


REQUESTS: Mapping[str, Callable[[Engine], Callable[[], object]]] = {
    "read": read_request,
    "write": write_request,
    "nothing": empty_request,
}
