"""What ``stillhere tune`` prints."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from stillhere.cli.render import line, results
from stillhere.findings import Finding
from stillhere.tune.apply import Rewrite
from stillhere.tune.change import Change, shown
from stillhere.tune.cnf import FilePlan
from stillhere.tune.knobs import KNOBS
from stillhere.tune.managed import Service, parameters
from stillhere.tune.measured import Measured, age, plural
from stillhere.tune.plan import Plan
from stillhere.tune.statements import Step, Way, has_persist, option_line
from stillhere.tune.undo import Back

__all__ = ["Outcome", "Report", "did", "intent", "outcome", "report", "undo_intent", "undone"]


@dataclass(frozen=True)
class Report:
    """What there is to show before anything is done."""

    measured: Measured
    plan: Plan
    steps: tuple[Step, ...]
    file: FilePlan | None
    service: Service | None


@dataclass(frozen=True)
class Outcome:
    """What there is to show after a change.

    Attributes:
        values: the settings' global values now.
        keeping: sessions from before, by user.
        partial: whether the account sees its own sessions only.
        undo: the file that takes it back.
        done: the settings that were carried out.
    """

    values: Mapping[str, str]
    keeping: tuple[tuple[str, int], ...]
    partial: bool
    undo: Path
    done: frozenset[str]


def report(found: Report, *, as_json: bool) -> None:
    """The plan."""
    if as_json:
        results.print_json(json.dumps(_as_dict(found)))
        return
    snapshot = found.measured.snapshot
    line("server", f"{snapshot.version} at {snapshot.address}, up for {age(snapshot.count('uptime') or 0)}")
    for one, step in zip(found.plan.changes, found.steps, strict=True):
        _change(one, step, found)
    for finding in found.plan.notes:
        _note(finding)
    if found.file is not None and found.plan.changes:
        _file(found.file)
    if found.service is not None and found.plan.changes:
        _service(found.service, found.plan.changes)
    for gap in found.plan.gaps:
        line("not checked", f"{gap.name}: {gap.reason}", good=False)
    if not found.plan.changes:
        line("result", "nothing to change", good=True)


def intent(steps: Sequence[Step], rewrite: Rewrite | None, undo: Path) -> None:
    """What is about to be done."""
    results.print()
    for step in steps:
        if step.statement:
            line("will run", step.statement)
    if rewrite is not None:
        line("will write", f"{rewrite.path}, and its present content to {rewrite.backup}")
    line("undo file", str(undo))


def did(text: str) -> None:
    """One thing that was done."""
    line("done", text, good=True)


def outcome(found: Report, after: Outcome, *, as_json: bool) -> None:
    """What a change led to."""
    if as_json:
        content = _as_dict(found) | {
            "applied": True,
            "values": dict(after.values),
            "sessions_keeping_old_values": dict(after.keeping),
            "not_applied": sorted({step.name for step in found.steps} - after.done),
            "undo_file": str(after.undo),
        }
        results.print_json(json.dumps(content))
        return
    results.print()
    for step in found.steps:
        if step.name not in after.done:
            line(step.name, "was not changed: only an option file that the server reads can (--cnf)", good=False)
            continue
        change = f"{shown(step.name, step.before)} → {shown(step.name, step.after)}"
        line(step.name, f"{change}{_span(step, found.file)}", good=True)
    copied = [step.name for step in found.steps if step.name in after.done and KNOBS.get(step.name).copied]
    _keep(after.keeping, copied, partial=after.partial)
    line("undo", f"stillhere tune URL --undo {after.undo}")


def _span(step: Step, file: FilePlan | None) -> str:
    """From when on, or until when, where it isn't both now and for good."""
    if step.way in {Way.PERSIST_ONLY, Way.RESTART}:
        return " (from the next restart on)"
    kept = file is not None and step.name in file.places and step.name not in file.blocked
    return " (until the next restart)" if step.way is Way.GLOBAL and not kept else ""


def undo_intent(backs: Iterable[Back], rewrite: Rewrite | None, left: Iterable[str], *, todo: bool) -> None:
    """What taking a change back means."""
    for back in backs:
        for statement in back.statements:
            line("will run", statement)
    if rewrite is not None:
        line("will write", f"{rewrite.path}, from {rewrite.backup}")
    for reason in left:
        line("left alone", reason, good=False)
    if not todo:
        line("result", "nothing to take back", good=True)


def undone(backs: Sequence[Back], values: Mapping[str, str], stay: tuple[tuple[str, int], ...]) -> None:
    """What taking a change back led to."""
    for back in backs:
        if back.statements:
            line(back.step.name, f"{back.now} → {values.get(back.step.name, '')}", good=True)
    _keep(stay, [back.step.name for back in backs if back.statements and KNOBS.get(back.step.name).copied])


def _keep(stay: tuple[tuple[str, int], ...], copied: Sequence[str], *, partial: bool = False) -> None:
    if not copied:
        return
    names = ", ".join(copied)
    if stay:
        who = ", ".join(f"{user} {number}" for user, number in stay)
        total = sum(number for _, number in stay)
        line(
            "keep the old",
            f"{names}: {plural(total, 'session')} that logged in before ({who}), until they log in again",
            good=False,
        )
    elif partial:
        line("keep the old", f"{names}: sessions that logged in before; which ones, needs PROCESS to see", good=False)


def _change(one: Change, step: Step, found: Report) -> None:
    finding = one.finding
    results.print()
    head = Text.assemble(
        (one.name, "bold yellow"), ": ", shown(one.name, one.before), " → ", (shown(one.name, one.after), "bold")
    )
    results.print(head, soft_wrap=True)
    _indented(finding.message + ".")
    if finding.why:
        _indented(finding.why)
    for evidence in finding.evidence:
        _indented(f"- {evidence.fact} [{evidence.source}]")
    if finding.remedy is not None:
        advice = finding.remedy.text.partition(". ")[2]
        if advice:
            _indented(advice)
        if finding.remedy.cost:
            _indented(f"Cost: {finding.remedy.cost}")
    if found.service is None:
        _way(one, step, found)


def _way(one: Change, step: Step, found: Report) -> None:
    if step.statement:
        _code(f"{step.statement};")
    blocked = found.file.blocked.get(one.name) if found.file is not None else None
    if blocked:
        _indented(f"Not in this file: {blocked}", style="yellow")
    elif found.file is None and not has_persist(found.measured.snapshot.version):
        _indented("MariaDB has no SET PERSIST: for the next start, under [mysqld] in the option file:")
        _code(option_line(one))
    if step.way in {Way.RESTART, Way.PERSIST_ONLY}:
        _indented("Takes effect with the next restart of the server.")


def _note(finding: Finding) -> None:
    results.print()
    results.print(Text.assemble(("note", "bold"), ": ", finding.message), soft_wrap=True)
    _indented(finding.why)
    for evidence in finding.evidence:
        _indented(f"- {evidence.fact} [{evidence.source}]")
    if finding.remedy is not None:
        _indented(finding.remedy.text)


def _file(file: FilePlan) -> None:
    results.print()
    for name, places in file.places.items():
        for place in places[:-1]:
            line(name, f"{place.path}:{place.line} says {place.value}, and is overruled")
        for place in places[-1:]:
            line(name, f"{place.path}:{place.line} says {place.value}, and wins")
        if not places:
            line(name, f"{file.reading.path} and what it includes don't set it")
    for notice in file.notices:
        line("mind", notice, good=False)
    for text in file.diff:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(text[:1], "")
        results.print(Text(text, style=style), soft_wrap=True)


def _service(service: Service, changes: Iterable[Change]) -> None:
    found = parameters(changes)
    results.print()
    results.print(Text(f"{service.title}:", style="bold"))
    for one in found:
        _indented(f"{one.name} = {one.after} ({'needs a reboot' if one.restart else 'dynamic'}; {one.before} now)")
    _indented(service.caution)
    for command in service.commands(found):
        _code(command)


def _indented(text: str, *, style: str = "") -> None:
    margin = " " * 4
    filled = textwrap.fill(
        text,
        results.width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    results.print(Text(filled, style=style), soft_wrap=True)


def _code(text: str) -> None:
    results.print(Text(f"      {text}", style="cyan"), soft_wrap=True)


def _as_dict(found: Report) -> dict[str, Any]:
    snapshot = found.measured.snapshot
    file = found.file
    content: dict[str, Any] = {
        "server": {"address": snapshot.address, "version": snapshot.version_text},
        "changes": [
            {
                "name": one.name,
                "before": one.before,
                "after": one.after,
                "statement": step.statement,
                "option_line": option_line(one),
                "restart": step.way in {Way.RESTART, Way.PERSIST_ONLY},
                **_finding(one.finding),
            }
            for one, step in zip(found.plan.changes, found.steps, strict=True)
        ],
        "notes": [_finding(finding) for finding in found.plan.notes],
        "not_checked": {gap.name: gap.reason for gap in found.plan.gaps},
        "applied": False,
    }
    if file is not None:
        content["file"] = {
            "path": str(file.reading.path),
            "places": {
                name: [{"path": str(one.path), "line": one.line, "value": one.value} for one in places]
                for name, places in file.places.items()
            },
            "blocked": dict(file.blocked),
            "notices": list(file.notices),
            "diff": list(file.diff),
        }
    if found.service is not None:
        wanted = parameters(found.plan.changes)
        content["managed"] = {
            "service": found.service.name,
            "parameters": [{"name": one.name, "value": one.after, "reboot": one.restart} for one in wanted],
            "commands": list(found.service.commands(wanted)) if wanted else [],
        }
    return content


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "why": finding.why,
        "evidence": [{"fact": one.fact, "source": one.source} for one in finding.evidence],
        "remedy": finding.remedy.text if finding.remedy is not None else "",
        "cost": finding.remedy.cost if finding.remedy is not None else "",
    }
