"""The engines that are compared, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import QueuePool

from benchmarks import losing
from stillhere.continuity.witness_table import creation
from stillhere.lab.servers import Server

BARE, PRE_PING, STILLHERE, WITNESS = "bare", "pool_pre_ping", "stillhere", "stillhere, witness"
DRIVERS = ("mysqlclient", "pymysql")
SCHEMA = "bench"
GROUP = 40

_READ = text("SELECT id, name FROM item WHERE id = :id")
_WRITE = text("UPDATE item SET name = :name WHERE id = 1")
_SQL = "SELECT 1"


def prepare(server: Server) -> None:
    """The schema that every arm works on."""
    server.execute(f"CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4")
    server.execute(f"CREATE TABLE {SCHEMA}.item (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL)")
    server.execute(f"INSERT INTO {SCHEMA}.item VALUES (1, 'one'), (2, 'two')")
    # A flush to disk at each COMMIT would drown what is measured here in what the disk does.
    server.set_global({"innodb_flush_log_at_trx_commit": 0, "sync_binlog": 0})
    for statement in creation(SCHEMA):
        server.execute(statement)


def url_of(server: Server, driver: str, arm: str, port: int | None = None) -> str:
    """Where an arm connects to; ``port`` is that of a wire. stillhere is switched on here and nowhere else."""
    url = make_url(server.url(database=SCHEMA, driver=driver, port=port))
    if arm in {STILLHERE, WITNESS}:
        url = url.update_query_dict({"plugin": "stillhere"})
    if arm == WITNESS:
        url = url.update_query_dict({"stillhere.witness": "on"})
    return url.render_as_string(hide_password=False)


def options_of(arm: str) -> dict[str, Any]:
    """What an arm gives to ``create_engine``."""
    return {"pool_pre_ping": arm == PRE_PING}


def engine_at(url: str, **options: Any) -> Engine:
    """A new engine with one connection."""
    return create_engine(url, pool_size=1, max_overflow=0, poolclass=QueuePool, **options)


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


def statements(on: Engine) -> Callable[[], object]:
    """`GROUP` statements in one transaction, by SQLAlchemy. Its end is in it, as 1 of `GROUP` + 1 round trips."""
    connection = on.connect()

    def run() -> None:
        for _ in range(GROUP):
            connection.exec_driver_sql(_SQL).all()
        connection.rollback()

    return run


def cursor_statements(on: Engine) -> Callable[[], object]:
    """The same by the driver's cursor."""
    connection = on.raw_connection()

    def run() -> None:
        cursor = connection.cursor()
        for _ in range(GROUP):
            cursor.execute(_SQL)
            cursor.fetchall()
        cursor.close()
        connection.rollback()

    return run


def checkouts(on: Engine) -> Callable[[], object]:
    """`GROUP` empty requests."""
    request = empty_request(on)

    def run() -> None:
        for _ in range(GROUP):
            request()

    return run


REQUESTS: Mapping[str, Callable[[Engine], Callable[[], object]]] = {
    "read": read_request,
    "write": write_request,
    "nothing": empty_request,
}
TASKS: Mapping[str, Callable[[Engine], Callable[[], object]]] = {
    **REQUESTS,
    "statements": statements,
    "cursor statements": cursor_statements,
    "checkouts": checkouts,
    "loss continued": losing.continued,
    "loss continued, unexplained": losing.unexplained(losing.continued),
    "loss refused": losing.refused,
    "loss refused, unexplained": losing.unexplained(losing.refused),
}
