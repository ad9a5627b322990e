"""Timing in pairs: on a machine that others use too, only what ran at the same moment can be compared."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, thread_time

_RESAMPLES = 1000
_SEED = 7


@dataclass(frozen=True)
class Estimate:
    """A median with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass
class Samples:
    """What one arm took: for each block the median time of one run, in seconds."""

    wall: list[float]
    cpu: list[float]


def alternate(arms: Mapping[str, Callable[[], object]], blocks: int, rounds: int) -> dict[str, Samples]:
    """Run every arm once a round, in random order each time; the medians of each block of rounds.

    Wall-clock time and the CPU time of this thread are taken around each run; the two look at their clocks in
    every arm alike.
    """
    rng = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    names = list(arms)
    samples = {name: Samples([], []) for name in names}
    for _ in range(rounds):
        for name in names:
            arms[name]()
    gc.collect()
    gc.disable()
    try:
        for _ in range(blocks):
            wall: dict[str, list[float]] = {name: [] for name in names}
            cpu: dict[str, list[float]] = {name: [] for name in names}
            for _ in range(rounds):
                rng.shuffle(names)
                for name in names:
                    run = arms[name]
                    cpu_start, wall_start = thread_time(), perf_counter()
                    run()
                    wall_end, cpu_end = perf_counter(), thread_time()
                    wall[name].append(wall_end - wall_start)
                    cpu[name].append(cpu_end - cpu_start)
            for name in names:
                samples[name].wall.append(median(wall[name]))
                samples[name].cpu.append(median(cpu[name]))
            gc.collect()
    finally:
        gc.enable()
    return samples


def ratio(of: list[float], to: list[float]) -> Estimate:
    """How many times longer, block by block."""
    return estimate([a / b for a, b in zip(of, to, strict=True)])


def added(of: list[float], to: list[float], runs: int = 1) -> Estimate:
    """How many microseconds longer, block by block, for each of ``runs``."""
    return estimate([(a - b) * 1e6 / runs for a, b in zip(of, to, strict=True)])


def estimate(values: list[float]) -> Estimate:
    """Median and bootstrap interval of the median."""
    rng = random.Random(_SEED)  # noqa: S311 - reproducible resampling
    medians = sorted(median(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return Estimate(median(values), medians[int(_RESAMPLES * 0.025)], medians[int(_RESAMPLES * 0.975) - 1])
