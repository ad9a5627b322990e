"""What the journal of a transaction of 10,000 statements weighs."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from benchmarks.arms import BARE, STILLHERE, engine_at, url_of
from benchmarks.rows import Row
from stillhere.lab.servers import Server

_STATEMENTS = 10_000
_READ = text("SELECT id, name FROM item WHERE id = :id")
_WRITE = text("UPDATE item SET name = :name WHERE id = 1")


def measure(server: Server, driver: str) -> Iterator[Row]:
    """Memory held at the end of the transaction, beyond what the bare engine holds."""
    kinds: dict[str, Callable[[Connection, int], object]] = {
        "reads": lambda connection, turn: connection.execute(_READ, {"id": turn}).all(),
        "writes": lambda connection, turn: connection.execute(_WRITE, {"name": f"name {turn}"}),
    }
    for kind, act in kinds.items():
        held = {arm: _held(server, driver, arm, act) for arm in (BARE, STILLHERE)}
        yield Row(
            server=server.flavour.name.lower(),
            driver=driver,
            measure=f"journal of {_STATEMENTS:,} {kind}",
            arm=STILLHERE,
            value=(held[STILLHERE] - held[BARE]) / 1024**2,
            unit="MiB",
        )


def _held(server: Server, driver: str, arm: str, act: Callable[[Connection, int], object]) -> int:
    on = engine_at(url_of(server, driver, arm))
    with on.connect() as connection:
        for turn in range(100):  # fills what is made once
            act(connection, turn)
        connection.rollback()
        gc.collect()
        tracemalloc.start()
        for turn in range(_STATEMENTS):
            act(connection, turn)
        gc.collect()
        held, _peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    on.dispose()
    return held
