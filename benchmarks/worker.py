"""One engine in a process of its own, which does its work when it is its turn.

The interpreter specialises SQLAlchemy's and the driver's code to the classes that pass through it. Two engines in
one process pass two kinds of connection through the same code, and each slows the other down; no application has that.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter, thread_time
from types import TracebackType
from typing import Any, Self

from benchmarks import cores
from benchmarks.arms import TASKS, engine_at

_WARM_UP = 100


@dataclass(frozen=True)
class Turn:
    """What the runs of one turn took, in seconds."""

    wall: list[float]
    cpu: list[float]


class Worker:
    """The other process, seen from here.

    Args:
        url: where to, with stillhere in it or not.
        task: a name in `benchmarks.arms.TASKS`.
        options: for ``create_engine``.
        metrics: the module of `stillhere.observe` that measures the engine; none where it is empty.
    """

    def __init__(self, url: str, task: str, options: dict[str, Any] | None = None, metrics: str = "") -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "benchmarks.worker", url, task, json.dumps(options or {}), metrics],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.turn(1)  # it is connected, and warm

    def turn(self, runs: int) -> Turn:
        """Do the task that many times."""
        self._process.stdin.write(f"{runs}\n")
        return Turn(*json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()  # its end of file ends the other process
        self._process.wait(10)
        self._process.stdout.close()


def work(run: Callable[[], object]) -> None:
    """Be the other process."""
    for _ in range(_WARM_UP):
        run()
    for line in sys.stdin:
        wall, cpu = [], []
        run()  # the caches belong to another process by now
        for _ in range(int(line)):
            cpu_start, wall_start = thread_time(), perf_counter()
            run()
            wall_end, cpu_end = perf_counter(), thread_time()
            wall.append(wall_end - wall_start)
            cpu.append(cpu_end - cpu_start)
        print(json.dumps([wall, cpu]), flush=True)


if __name__ == "__main__":
    cores.settle()
    _, _url, _task, _options, _metrics = sys.argv
    _engine = engine_at(_url, **json.loads(_options))
    if _metrics:
        import_module(f"stillhere.observe.{_metrics}").instrument(_engine)
    work(TASKS[_task](_engine))
