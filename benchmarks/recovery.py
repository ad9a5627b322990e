"""Microseconds that explaining a loss adds to the call that meets it, with the thread beside it at work."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.arms import STILLHERE, url_of
from benchmarks.pairs import added, alternate
from benchmarks.rows import Row
from benchmarks.worker import Worker
from stillhere.lab.servers import Server

_RUNS = 4
_TARGET = 5000.0
_EXPLAINED = {
    "added per loss that is continued": ("loss continued", "loss continued, unexplained"),
    "added per loss that is refused": ("loss refused", "loss refused, unexplained"),
}
"""Measure, to the task with explaining and the one without."""


def measure(server: Server, driver: str, blocks: int, turns: int) -> Iterator[Row]:
    """A call that meets a loss, explained and not; both send and receive the same."""
    url = url_of(server, driver, STILLHERE)
    for name, (explained, unexplained) in _EXPLAINED.items():
        arms = {task: partial(Worker, url, task) for task in (explained, unexplained)}
        samples = alternate(arms, blocks, turns, _RUNS)
        for clock in ("cpu", "wall"):
            found = added(getattr(samples[explained], clock), getattr(samples[unexplained], clock))
            yield Row(
                server=server.flavour.name.lower(),
                driver=driver,
                measure=f"{name}, {'client CPU' if clock == 'cpu' else 'time'}",
                arm=STILLHERE,
                value=found.value,
                low=found.low,
                high=found.high,
                unit="µs",
                target=_TARGET if clock == "wall" else None,
            )
