"""Microseconds that stillhere adds to one statement and to one checkout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine

from benchmarks.arms import BARE, STILLHERE, empty_request, engine
from benchmarks.pairs import added, alternate
from benchmarks.rows import Row
from stillhere.lab.servers import Server

STATEMENT_TARGET = 3.0
CHECKOUT_TARGET = 5.0
_GROUP = 40
_SQL = "SELECT 1"


def measure(server: Server, driver: str, blocks: int, rounds: int) -> Iterator[Row]:
    """Statements of one transaction, by SQLAlchemy and by the bare cursor; then checkouts."""
    for name, make in (("exec_driver_sql", _by_sqlalchemy), ("cursor.execute", _by_cursor)):
        arms, engines = {}, []
        for arm in (BARE, STILLHERE):
            on = engine(server, driver, arm)
            engines.append(on)
            arms[arm] = make(on)
        samples = alternate(arms, blocks, max(rounds // 4, 5))
        yield from _rows(server, driver, f"added per statement, {name}", samples, _GROUP, STATEMENT_TARGET)
        arms.clear()
        for on in engines:
            on.dispose()
    # The bare engine sends a ROLLBACK when a connection comes back and stillhere, which knows that nothing was
    # executed, doesn't. So the bare engine is told not to reset: then neither sends anything, and what is left
    # is the listeners and the decision itself, together with SQLAlchemy's own call of rollback() in our arm only.
    engines = [engine(server, driver, BARE, pool_reset_on_return=None), engine(server, driver, STILLHERE)]
    checkouts = {arm: _many(empty_request(on)) for arm, on in zip((BARE, STILLHERE), engines, strict=True)}
    samples = alternate(checkouts, blocks, max(rounds // 4, 5))
    yield from _rows(server, driver, "added per checkout", samples, _GROUP, CHECKOUT_TARGET)
    for on in engines:
        on.dispose()


def _rows(
    server: Server, driver: str, measured: str, samples: dict[str, Any], runs: int, target: float
) -> Iterator[Row]:
    for clock in ("cpu", "wall"):
        found = added(getattr(samples[STILLHERE], clock), getattr(samples[BARE], clock), runs)
        yield Row(
            server=server.flavour.name.lower(),
            driver=driver,
            measure=f"{measured}, {'client CPU' if clock == 'cpu' else 'time'}",
            arm=STILLHERE,
            value=found.value,
            low=found.low,
            high=found.high,
            unit="µs",
            target=target if clock == "cpu" else None,
        )


def _by_sqlalchemy(on: Engine) -> Callable[[], object]:
    connection = on.connect()

    def run() -> None:
        for _ in range(_GROUP):
            connection.exec_driver_sql(_SQL).all()
        # A group is a transaction, which ends outside the sums: 1 of 41 round trips, in both arms.
        connection.rollback()

    return run


def _by_cursor(on: Engine) -> Callable[[], object]:
    connection = on.raw_connection()

    def run() -> None:
        cursor = connection.cursor()
        for _ in range(_GROUP):
            cursor.execute(_SQL)
            cursor.fetchall()
        cursor.close()
        connection.rollback()

    return run


def _many(request: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        for _ in range(_GROUP):
            request()

    return run
