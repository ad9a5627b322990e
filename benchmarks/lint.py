"""How long the linter takes for 100,000 lines of application code: ``python -m benchmarks lint``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.applications import write
from benchmarks.place import place
from benchmarks.rows import Row
from stillhere.lint import Config, lint_paths

_LINES = 100_000
_SEED = 1
_TARGET = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run it and show it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lint", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run instead of five")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a target is not met")
    options = parser.parse_args(arguments)
    rows = list(_measure(quick=options.quick))
    found_on = place([])
    report.show(found_on, rows)
    if options.json:
        report.save(options.json, found_on, rows)
    return 1 if options.strict and any(row.met is False for row in rows) else 0


def _measure(*, quick: bool) -> Iterator[Row]:
    """Seconds of processor time for all rules over a seeded application, in one process; the best of the runs.

    Processor time, since it waits for nothing, and other work on the machine would count otherwise.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, lines = write(folder, _LINES, _SEED)
        seconds = []
        for _ in range(1 if quick else 5):
            start = time.process_time()
            found = lint_paths([name], Config(root=folder))
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
            plain=f"{len(found.found)} findings, {lines / min(seconds):,.0f} lines a second",
        )
