"""How long a one-SELECT request takes, as a ratio to the bare engine in the same moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.arms import BARE, PRE_PING, STILLHERE, options_of, url_of
from benchmarks.line import Line
from benchmarks.pairs import Samples, alternate, ratio
from benchmarks.rows import Row
from benchmarks.worker import Worker
from stillhere.lab.servers import Server

_RUNS = 4


@dataclass(frozen=True)
class Way:
    """One way to the server: its name, the delay of a round trip, the ratio to reach, and whether a wire is in it."""

    name: str
    delay: float
    target: float | None
    wired: bool = True


WAYS = (
    Way("0 ms", 0.0, 1.05),
    Way("0.5 ms", 0.0005, 1.02),
    # Without even the wire's own time in it: harder than any network, so it has no target.
    Way("straight", 0.0, None, wired=False),
)


def measure(server: Server, line: Line, driver: str, blocks: int, turns: int) -> Iterator[Row]:
    """A read request on every engine, over each way."""
    for way in WAYS:
        port = line.port if way.wired else None
        line.delay(way.delay)
        arms = {
            arm: partial(Worker, url_of(server, driver, arm, port), "read", options_of(arm))
            for arm in (BARE, PRE_PING, STILLHERE)
        }
        samples = alternate(arms, blocks, turns, _RUNS)
        yield from _rows(server, driver, way, samples)
    line.delay(0)


def _rows(server: Server, driver: str, way: Way, samples: dict[str, Samples]) -> Iterator[Row]:
    for arm in (PRE_PING, STILLHERE):
        for clock in ("wall", "cpu"):
            of, to = getattr(samples[arm], clock), getattr(samples[BARE], clock)
            found = ratio(of, to)
            yield Row(
                server=server.flavour.name.lower(),
                driver=driver,
                measure=f"read request, {way.name}, {'time' if clock == 'wall' else 'client CPU'}",
                arm=arm,
                value=found.value,
                low=found.low,
                high=found.high,
                unit="x",
                target=way.target if clock == "wall" and arm == STILLHERE else None,
                plain=f"bare {median(to) * 1e6:.0f} µs, {median(of) * 1e6:.0f} µs",
            )
