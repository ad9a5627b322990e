"""How fast an error log is summarised, and in how much memory: ``python -m benchmarks errorlog``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import made_log, report
from benchmarks.place import place
from benchmarks.rows import Row

_GIGABYTE = 1_000_000_000
_MILLION = 1_000_000
_RATE = 150.0  # MB/s, on one core
_SECONDS = 5.0
_MEMORY = 100.0  # MB

# In a process of its own, which has nothing else in its memory.
_CHILD = """
import json, sys, time
from stillhere.errorlog.reader import read
started, busy = time.perf_counter(), time.process_time()
summary = read(sys.argv[1])
took, busy = time.perf_counter() - started, time.process_time() - busy
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": took, "busy": busy, "peak": peak / 1000, "lines": summary.lines, "size": summary.size,
                  "unknown": summary.unknown, "lives": len(summary.lives), "aborts": summary.aborts.total}))
"""


def main(arguments: Sequence[str]) -> int:
    """Run it and show it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks errorlog", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a target is not met")
    options = parser.parse_args(arguments)
    rows = list(_measure(10 if options.quick else 1))
    found_on = place([])
    report.show(found_on, rows)
    if options.json:
        report.save(options.json, found_on, rows)
    return 1 if options.strict and any(row.met is False for row in rows) else 0


def _measure(part: int) -> Iterator[Row]:
    size, lines = _GIGABYTE // part, _MILLION // part
    for style in made_log.STYLES:
        found = _read(style, size=size)
        rate = found["size"] / _MILLION / found["busy"]
        yield _row(style, f"{size / _MILLION:,.0f} MB", found["busy"], "s", size / _MILLION / _RATE, f"{rate:.0f} MB/s")
        yield _row(style, "peak memory", found["peak"], "MB", _MEMORY, f"{found['lines']:,.0f} lines")
        found = _read(style, lines=lines)
        yield _row(style, f"{lines:,} lines", found["busy"], "s", _SECONDS / part, f"{found['aborts']:,.0f} aborts")


def _row(style: str, measure: str, value: float, unit: str, target: float, plain: str) -> Row:
    row = Row(
        server="one core", driver=style, measure=measure, arm="read", value=value, unit=unit, target=target, plain=plain
    )
    print(f"{style} {measure}: {row.text} ({plain})", file=sys.stderr)
    return row


def _read(style: str, *, size: int = 0, lines: int = 0) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="stillhere-bench-") as folder:
        path = Path(folder) / "error.log"
        with path.open("wb") as out:
            made_log.write(out, style, size=size, lines=lines)
        done = subprocess.run(  # noqa: S603 - this Python, this module's own text
            [sys.executable, "-c", _CHILD, str(path)], check=True, capture_output=True, text=True
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
