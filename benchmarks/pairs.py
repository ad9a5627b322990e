"""Timing in pairs: on a machine that others use too, only what ran at the same moment can be compared."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.worker import Worker

_RESAMPLES = 1000
_SEED = 7


@dataclass(frozen=True)
class Estimate:
    """A median with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Samples:
    """What one arm took: for each block the median time of one run, in seconds."""

    wall: list[float]
    cpu: list[float]


def alternate(arms: Mapping[str, Worker], blocks: int, turns: int, runs: int) -> dict[str, Samples]:
    """Let the arms take turns of a few runs, in a new random order each time; the medians of each block of turns."""
    rng = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    names = list(arms)
    samples = {name: Samples([], []) for name in names}
    for _ in range(blocks):
        wall: dict[str, list[float]] = {name: [] for name in names}
        cpu: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(turns):
            rng.shuffle(names)
            for name in names:
                turn = arms[name].turn(runs)
                wall[name] += turn.wall
                cpu[name] += turn.cpu
        for name in names:
            samples[name].wall.append(median(wall[name]))
            samples[name].cpu.append(median(cpu[name]))
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
