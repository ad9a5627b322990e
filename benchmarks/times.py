"""How long a one-SELECT request takes, as a ratio to the bare engine in the same moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.arms import BARE, PRE_PING, STILLHERE, engine, read_request
from benchmarks.line import Line
from benchmarks.pairs import alternate, ratio
from benchmarks.rows import Row
from stillhere.lab.servers import Server


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


def measure(server: Server, line: Line, driver: str, blocks: int, rounds: int) -> Iterator[Row]:
    """A read request on every engine, over each way."""
    for way in WAYS:
        line.delay(0)
        engines = {
            arm: engine(server, driver, arm, line.port if way.wired else None) for arm in (BARE, PRE_PING, STILLHERE)
        }
        requests = {arm: read_request(on) for arm, on in engines.items()}
        for request in requests.values():
            request()
        line.delay(way.delay)
        samples = alternate(requests, blocks, rounds)
        line.delay(0)
        for on in engines.values():
            on.dispose()
        for arm in (PRE_PING, STILLHERE):
            target = way.target if arm == STILLHERE else None
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
                    target=target if clock == "wall" else None,
                    plain=f"bare {median(to) * 1e6:.0f} µs, {median(of) * 1e6:.0f} µs",
                )
