"""What ``stillhere maintain`` prints."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from rich.text import Text

from stillhere.cli.render import line, results
from stillhere.findings import Finding, Severity
from stillhere.maintain.inventory import Inventory, age, size
from stillhere.maintain.plan import Plan
from stillhere.maintain.progress import Progress, Turn, TurnState
from stillhere.maintain.step import Step
from stillhere.maintain.work import Ended

__all__ = ["after", "already", "before", "outcome", "report"]


_ALIKE = "check"
"""The kind whose steps have the same reason: it is told once."""


def report(inventory: Inventory, found: Plan, *, as_json: bool) -> None:
    """The plan."""
    if as_json:
        results.print_json(json.dumps(_as_dict(inventory, found)))
        return
    snapshot = inventory.snapshot
    line("server", f"{snapshot.version} at {snapshot.address}, up for {age(float(snapshot.count('uptime') or 0))}")
    total = sum(table.data + table.index for table in inventory.tables)
    line("tables", f"{len(inventory.tables)} with {size(total)}")
    told: set[str] = set()
    for step in found.steps:
        if step.kind in told and step.kind == _ALIKE:
            results.print(Text(f"      {step.statement};", style="cyan"), soft_wrap=True)
            continue
        told.add(step.kind)
        _finding(f"step ({step.kind})", step.finding, step.statement)
    for finding in found.advice:
        _finding("advice", finding)
    for gap in found.gaps:
        line("not checked", f"{gap.kind}: {gap.reason}", good=False)
    if not found.steps and not found.advice:
        line("result", "nothing to do", good=True)
    elif found.steps:
        results.print()
        line("result", f"{len(found.steps)} to run with --run, {len(found.advice)} to decide", good=False)


def before(step: Step, number: str, turn: Turn) -> None:
    """The statement that is about to run."""
    results.print()
    left = {
        TurnState.RUNNING: " (begun in a run that was cut off; whether it was finished isn't known)",
        TurnState.STOPPED: f" (stopped before: {turn.detail})",
        TurnState.FAILED: f" (failed before: {turn.detail})",
    }
    line(number, f"{step.statement}{left.get(turn.state, '')}")


def already(step: Step, number: str, *, quiet: bool) -> None:
    """A step of an earlier run."""
    if not quiet:
        line(number, f"{step.statement}: done already", good=True)


def after(step: Step, ended: Ended, seconds: float, *, quiet: bool) -> None:
    """How it ended."""
    if quiet:
        return
    rate = f", {size(step.work / seconds)}/s" if step.work and ended.state is TurnState.DONE and seconds > 1 else ""
    detail = f": {ended.detail}" if ended.detail else ""
    line(ended.state.value, f"{step.table} in {seconds:.1f} s{rate}{detail}", good=ended.state is TurnState.DONE)


def outcome(found: Plan, progress: Progress, path: Path, *, as_json: bool, gap: str) -> None:
    """What a run led to."""
    turns = [(step, progress.of(step.statement)) for step in found.steps]
    if as_json:
        content = [
            {"statement": step.statement, "state": turn.state.value, "detail": turn.detail, "seconds": turn.seconds}
            for step, turn in turns
        ]
        results.print_json(json.dumps({"steps": content, "state_file": str(path), "lag_not_seen": gap}))
        return
    if not turns:
        return
    results.print()
    if gap:
        line("not checked", f"how far the server is behind its source: {gap}", good=False)
    open_ = [(step, turn) for step, turn in turns if turn.state is not TurnState.DONE]
    line("result", f"{len(turns) - len(open_)} of {len(turns)} done", good=not open_)
    if open_:
        line("state", f"{path}; the same command goes on from there")


def _finding(label: str, finding: Finding, statement: str = "") -> None:
    results.print()
    style = "bold yellow" if finding.severity >= Severity.WARNING else "bold"
    results.print(Text.assemble((label, style), ": ", finding.message), soft_wrap=True)
    _indented(finding.why)
    for evidence in finding.evidence:
        _indented(f"- {evidence.fact} [{evidence.source}]")
    remedy = finding.remedy
    if remedy is None:
        return
    if not statement:
        _indented(remedy.text)
    if remedy.cost:
        _indented(f"Cost: {remedy.cost}")
    for command in remedy.commands:
        results.print(Text(f"      {command};", style="cyan" if statement else "dim"), soft_wrap=True)


def _indented(text: str) -> None:
    margin = " " * 4
    filled = textwrap.fill(
        text,
        results.width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    results.print(Text(filled), soft_wrap=True)


def _as_dict(inventory: Inventory, found: Plan) -> dict[str, Any]:
    snapshot = inventory.snapshot
    return {
        "server": {"address": snapshot.address, "version": snapshot.version_text},
        "tables": len(inventory.tables),
        "steps": [
            {"kind": step.kind, "table": step.table, "statement": step.statement, **_dict(step.finding)}
            for step in found.steps
        ],
        "advice": [{"subject": one.subject, **_dict(one)} for one in found.advice],
        "not_checked": [{"kind": gap.kind, "reason": gap.reason} for gap in found.gaps],
    }


def _dict(finding: Finding) -> dict[str, Any]:
    remedy = finding.remedy
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "why": finding.why,
        "evidence": [{"fact": one.fact, "source": one.source} for one in finding.evidence],
        "remedy": remedy.text if remedy is not None else "",
        "commands": list(remedy.commands) if remedy is not None else [],
        "cost": remedy.cost if remedy is not None else "",
    }
