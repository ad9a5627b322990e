"""Microseconds that stillhere adds to one statement and to one checkout, and that its metrics add to that."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.arms import BARE, GROUP, STILLHERE, url_of
from benchmarks.pairs import Samples, added, alternate
from benchmarks.rows import Row
from benchmarks.worker import Worker
from stillhere.lab.servers import Server

_RUNS = 2
_STATEMENT_TARGET = 3.0
_CHECKOUT_TARGET = 5.0
# The bare engine sends a ROLLBACK when a connection comes back and stillhere, which knows that nothing was executed,
# doesn't. So the bare engine is told not to reset: then neither sends anything, and what is left is the listeners
# and the decision itself, together with SQLAlchemy's own call of rollback() in our arm only.
_NO_RESET: dict[str, Any] = {"pool_reset_on_return": None}
_MEASURED = (
    ("added per statement, exec_driver_sql", "statements", {}, _STATEMENT_TARGET),
    ("added per statement, cursor.execute", "cursor statements", {}, _STATEMENT_TARGET),
    ("added per checkout", "checkouts", _NO_RESET, _CHECKOUT_TARGET),
)


_METRICS = "stillhere, metrics"
_METRICS_TARGET = 1.0
_METERED = (
    ("metrics add per statement", "statements", _METRICS_TARGET),
    ("metrics add per checkout", "checkouts", None),
)


def measure(server: Server, driver: str, blocks: int, turns: int) -> Iterator[Row]:
    """Statements of one transaction, by SQLAlchemy and by the bare cursor; then checkouts."""
    for name, task, options, target in _MEASURED:
        arms = {
            BARE: partial(Worker, url_of(server, driver, BARE), task, options),
            STILLHERE: partial(Worker, url_of(server, driver, STILLHERE), task),
        }
        yield from _rows(server, driver, name, alternate(arms, blocks, turns, _RUNS), target)
    for name, task, target in _METERED:
        url = url_of(server, driver, STILLHERE)
        arms = {STILLHERE: partial(Worker, url, task), _METRICS: partial(Worker, url, task, None, "prometheus")}
        yield from _rows(server, driver, name, alternate(arms, blocks, turns, _RUNS), target)


def _rows(server: Server, driver: str, name: str, samples: dict[str, Samples], target: float | None) -> Iterator[Row]:
    """What the second arm adds to the first."""
    base, arm = samples
    for clock in ("cpu", "wall"):
        found = added(getattr(samples[arm], clock), getattr(samples[base], clock), GROUP)
        yield Row(
            server=server.flavour.name.lower(),
            driver=driver,
            measure=f"{name}, {'client CPU' if clock == 'cpu' else 'time'}",
            arm=arm,
            value=found.value,
            low=found.low,
            high=found.high,
            unit="µs",
            target=target if clock == "cpu" else None,
        )
