"""Round trips for each request, counted by the wire: exact, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.arms import BARE, PRE_PING, REQUESTS, STILLHERE, WITNESS, engine_at, options_of, url_of
from benchmarks.line import Line
from benchmarks.rows import Row
from stillhere.lab.servers import Server

_REQUESTS = 10


def measure(server: Server, line: Line, driver: str) -> Iterator[Row]:
    """Each kind of request on each engine. stillhere's target is the bare engine's figure."""
    line.delay(0)
    counted: dict[tuple[str, str], float] = {}
    for arm in (BARE, PRE_PING, STILLHERE, WITNESS):
        on = engine_at(url_of(server, driver, arm, line.port), **options_of(arm))
        for kind, make in REQUESTS.items():
            request = make(on)
            request()
            line.reset_counters()
            for _ in range(_REQUESTS):
                request()
            counted[kind, arm] = line.round_trips() / _REQUESTS
        on.dispose()
    for kind in REQUESTS:
        for arm in (BARE, PRE_PING, STILLHERE, WITNESS):
            target = _target(kind, arm, counted)
            yield Row(
                server=server.flavour.name.lower(),
                driver=driver,
                measure=f"round trips, {kind}",
                arm=arm,
                value=counted[kind, arm],
                unit="round trips",
                target=target,
            )


def _target(kind: str, arm: str, counted: dict[tuple[str, str], float]) -> float | None:
    if arm == STILLHERE:
        return 0 if kind == "nothing" else counted[kind, BARE]
    if arm == WITNESS:
        return counted[kind, STILLHERE] + (1 if kind == "write" else 0)
    return None
