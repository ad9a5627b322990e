"""The one command: ``python -m benchmarks``; ``errorlog`` or ``lint`` behind it needs no server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import cores, cost, errorlog, lint, memory, report, round_trips, times
from benchmarks.arms import DRIVERS, prepare
from benchmarks.line import Line
from benchmarks.place import place
from benchmarks.rows import Row
from stillhere.errors import LabError
from stillhere.lab.servers import Server, start_server

_SERVERS = ("mariadb", "mysql")


def main() -> int:
    """Run everything and show it."""
    if sys.argv[1:2] == ["errorlog"]:
        return errorlog.main(sys.argv[2:])
    if sys.argv[1:2] == ["lint"]:
        return lint.main(sys.argv[2:])
    options = _options()
    rows: list[Row] = []
    versions = []
    for name in _SERVERS if options.server == "both" else (options.server,):
        try:
            server = start_server(name)
        except LabError as error:
            print(f"no {name}: {error}", file=sys.stderr)
            continue
        with server:
            versions.append(str(server.version))
            prepare(server)
            cores.settle(server.pid)
            for driver in (options.driver,) if options.driver else DRIVERS:
                for row in _measure(server, driver, quick=options.quick):
                    print(f"{row.server} {row.driver} {row.measure}: {row.arm} {row.text}", file=sys.stderr)
                    rows.append(row)
    if not rows:
        return 1
    found_on = place(versions)
    report.show(found_on, rows)
    if options.json:
        report.save(options.json, found_on, rows)
    if options.docs:
        report.document(found_on, rows)
    return 1 if options.strict and any(row.met is False for row in rows) else 0


def _measure(server: Server, driver: str, *, quick: bool) -> Iterator[Row]:
    blocks, turns = (10, 8) if quick else (40, 12)
    with Line(server.host, server.port) as line:
        yield from round_trips.measure(server, line, driver)
        yield from times.measure(server, line, driver, blocks, turns)
    yield from cost.measure(server, driver, blocks, turns)
    yield from memory.measure(server, driver)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: half a minute a driver")
    parser.add_argument("--server", choices=(*_SERVERS, "both"), default="both")
    parser.add_argument("--driver", choices=DRIVERS, help="only this one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--docs", action="store_true", help="also write them into docs/explanation/cost.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a target is not met")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
