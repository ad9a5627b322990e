"""Timing in pairs: on a machine that others use too, only what ran at the same moment can be compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.worker import Worker

_RESAMPLES = 1000
_SEED = 7
_BLOCKS_OF_A_LIFE = 5


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


def alternate(arms: Mapping[str, Callable[[], Worker]], blocks: int, turns: int, runs: int) -> dict[str, Samples]:
    """Let the arms take turns of a few runs, in a new random order each time; the medians of each block of turns.

    The workers are started anew for every few blocks: where a process happens to lie in memory makes it a few per
    cent faster or slower for its whole life.
    """
    rng = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    samples = {name: Samples([], []) for name in arms}
    for start in range(0, blocks, _BLOCKS_OF_A_LIFE):
        with ExitStack() as stack:
            workers = {name: stack.enter_context(arm()) for name, arm in arms.items()}
            for _ in range(min(_BLOCKS_OF_A_LIFE, blocks - start)):
                _block(workers, turns, runs, rng, samples)
    return samples


def _block(
    workers: Mapping[str, Worker], turns: int, runs: int, rng: random.Random, samples: Mapping[str, Samples]
) -> None:
    names = list(workers)
    wall: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(turns):
        rng.shuffle(names)
        for name in names:
            turn = workers[name].turn(runs)
            wall[name] += turn.wall
            cpu[name] += turn.cpu
    for name in names:
        samples[name].wall.append(median(wall[name]))
        samples[name].cpu.append(median(cpu[name]))


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
