"""What is expected of the case files, and how a report is compared with it."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

from stillhere.apptrace import Frame, PoolFacts, Position, Report

CASES = Path(__file__).parents[2] / "cases" / "traces"


def case_files() -> list[Path]:
    """Every case; its expectation is the file of the same name that ends in ``.toml``."""
    return sorted(path for path in CASES.iterdir() if path.suffix in (".txt", ".json"))


def expected(case: Path) -> list[dict[str, object]]:
    return tomllib.loads(case.with_suffix(".toml").read_text(encoding="utf-8")).get("report", [])


def shown(report: Report) -> dict[str, object]:
    """Every fact that the report has, in the words of the expectation files; what it doesn't know is left out."""
    facts: dict[str, object] = {}
    for field in dataclasses.fields(report):
        value = getattr(report, field.name)
        if value != field.default or field.default is dataclasses.MISSING:
            facts[field.name] = _plain(field.name, value)
    return facts


def _plain(name: str, value: object) -> object:
    if isinstance(value, Frame):
        return f"{value.path}:{value.line} {value.function} | {value.code}"
    if isinstance(value, PoolFacts):
        return [value.size, value.overflow, value.timeout]
    if isinstance(value, Position):
        return value.value
    if name == "frames":
        return len(value)
    if name == "at":
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def written(reports: list[Report]) -> str:
    """The expectation file for these reports, to be read through before it is kept."""
    blocks = []
    for report in reports:
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in shown(report).items()]
        blocks.append("\n".join(["[[report]]", *lines]) + "\n")
    return "\n".join(blocks) or "# No report: no error of a MySQL or MariaDB client is in it.\n"
