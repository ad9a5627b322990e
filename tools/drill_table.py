"""Write a drill's numbers into the README: ``python tools/drill_table.py build/drill.json README.md``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_BETWEEN = re.compile(r"(<!-- drill-table -->\n).*(<!-- /drill-table -->)", re.DOTALL)


def main(numbers: str, page: str) -> None:
    """Replace what stands between the markers of ``page`` by the table of the JSON file ``numbers``."""
    rows = json.loads(Path(numbers).read_text(encoding="utf-8"))
    path = Path(page)
    text = path.read_text(encoding="utf-8")
    if not _BETWEEN.search(text):
        raise SystemExit(f"{page} has no drill-table markers")
    path.write_text(_BETWEEN.sub(lambda found: found[1] + table(rows) + "\n" + found[2], text), encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """The drill's rows as a Markdown table: a line for each fault, a column for each server and arm."""
    servers = {row["server"]: row["version"] for row in rows}
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    cells = {(row["fault"], row["server"], row["arm"]): row for row in rows}
    columns = [(server, arm) for server in servers for arm in arms]
    lines = [
        "| fault | " + " | ".join(f"{servers[server]}<br>{arm}" for server, arm in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for fault in dict.fromkeys(row["fault"] for row in rows):
        found = [cell(cells[fault, server, arm]) for server, arm in columns]
        lines.append(f"| {fault.replace('_', ' ')} | " + " | ".join(found) + " |")
    totals = [total([row for row in rows if (row["server"], row["arm"]) == column]) for column in columns]
    lines.append("| **all** | " + " | ".join(totals) + " |")
    return "\n".join(lines)


def cell(row: dict[str, Any]) -> str:
    """One arm under one fault: how many requests failed, and what is worse than failing."""
    worse = [f"**{row[key]} {key}**" for key in ("lost", "doubled", "wrong") if row[key]]
    failed = row["errors"] + row["unavailable"]
    return ", ".join([*([str(failed)] if failed else []), *worse]) or "-"


def total(rows: list[dict[str, Any]]) -> str:
    """One arm's failures over all faults, with the requests made."""
    summed = {key: sum(row[key] for row in rows) for key in ("errors", "unavailable", "lost", "doubled", "wrong")}
    return f"{cell(summed)} of {sum(row['requests'] for row in rows)}"


if __name__ == "__main__":
    main(*sys.argv[1:])
