"""How long the linter takes for 100,000 lines of application code."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.applications import write
from benchmarks.rows import Row
from stillhere.lint import Config, lint_paths

_LINES = 100_000
_SEED = 1
_TARGET = 10.0


def measure(*, quick: bool) -> Iterator[Row]:
    """Seconds of processor time for all rules over a seeded application, in one process; the best of the runs.

    Processor time, since it waits for nothing, and other work on the machine would count otherwise.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, lines = write(folder, _LINES, _SEED)
        seconds = []
        for _ in range(1 if quick else 5):
            start = time.process_time()
            report = lint_paths([name], Config(root=folder))
            seconds.append(time.process_time() - start)
        yield Row(
            server=f"{lines:,} lines in {files} files",
            driver="stillhere lint",
            measure="all rules",
            arm="one process",
            value=min(seconds),
            unit="s",
            low=min(seconds),
            high=max(seconds),
            target=_TARGET,
            plain=f"{len(report.found)} findings, {lines / min(seconds):,.0f} lines a second",
        )
