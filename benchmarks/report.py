"""The figures as a table for people, as JSON for machines, and as Markdown for the documentation."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
DOCS = Path(__file__).parent.parent / "docs" / "explanation" / "cost.md"
_VERDICTS = {True: "met", False: "NOT MET", None: ""}
_HEADINGS = ("measured", "engine", "figure", "target", "")


def show(found_on: dict[str, str], rows: list[Row]) -> None:
    """Print what it ran on, one table for each server and driver, and how many targets are met."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    for name, value in found_on.items():
        console.print(f"{name}: {value}", soft_wrap=True)
    for server, driver in dict.fromkeys((row.server, row.driver) for row in rows):
        table = Table(title=f"{driver} on {server}", title_justify="left")
        for heading in _HEADINGS:
            table.add_column(heading)
        for row in rows:
            if (row.server, row.driver) == (server, driver):
                style = {True: "green", False: "red", None: ""}[row.met]
                table.add_row(row.measure, row.arm, _figure(row), _limit(row), _VERDICTS[row.met], style=style)
        console.print(table)
    console.print(summary(rows))


def summary(rows: list[Row]) -> str:
    """How many targets are met, and which are not."""
    judged = [row for row in rows if row.met is not None]
    missed = [row for row in judged if not row.met]
    text = f"{len(judged) - len(missed)} of {len(judged)} targets are met"
    return text + "".join(
        f"\nnot met: {row.driver} on {row.server}, {row.measure}: {row.text}, target {_limit(row)}" for row in missed
    )


def save(path: Path, found_on: dict[str, str], rows: list[Row]) -> None:
    """Write both as JSON."""
    text = json.dumps({"on": found_on, "rows": [row.as_json() for row in rows]}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def document(found_on: dict[str, str], rows: list[Row]) -> None:
    """Put the figures between the marks in the documentation."""
    lines = [f"- {name}: {value}" for name, value in found_on.items()]
    for server, driver in dict.fromkeys((row.server, row.driver) for row in rows):
        lines += [
            "",
            f"### {driver} on {server}",
            "",
            "| measured | engine | figure | target | |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.measure} | {row.arm} | {_figure(row)} | {_limit(row)} | {_VERDICTS[row.met]} |"
            for row in rows
            if (row.server, row.driver) == (server, driver)
        ]
    lines += ["", *summary(rows).replace("\nnot met", "\n\n- not met").split("\n")]
    before, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    DOCS.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, encoding="utf-8")


def _figure(row: Row) -> str:
    return f"{row.text} ({row.plain})" if row.plain else row.text


def _limit(row: Row) -> str:
    return "" if row.target is None else f"≤ {row.target:g}"
