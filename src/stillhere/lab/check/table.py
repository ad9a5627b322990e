"""A report as a table, for people."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from stillhere.lab.check.history import Kind, Outcome
from stillhere.lab.check.report import Report

__all__ = ["closing", "table"]

_SHOWN = 10


def table(report: Report) -> Table:
    """Operations by kind, with what their clients were told."""
    title = f"{report.version}, {report.arm}, {' and '.join(report.drivers)}, seed {report.seed}"
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("operation", no_wrap=True)
    for outcome in Outcome:
        grid.add_column(outcome.value, justify="right", no_wrap=True)
    for kind in Kind:
        numbers = [str(report.operations[kind, outcome]) for outcome in Outcome]
        grid.add_row(kind.value, *numbers, end_section=kind is list(Kind)[-1])
    grid.add_row("all", *(str(report.outcomes(outcome)) for outcome in Outcome))
    return grid


def closing(report: Report) -> Text:
    """The figures in a few lines, and the first of what is wrong."""
    told = report.as_json()
    text = Text()
    text.append(
        f"{report.total} operations in {report.seconds:.0f} s; {report.struck} cuts, {told['cuts_with_ghost']} of them "
        f"unseen by the server; {told['kills']} KILLs, {told['restarts']} restarts, {told['crashes']} crashes\n"
    )
    if report.events:
        text.append(
            f"continued {report.continued}, replayed {report.replayed}, settled {report.settled}, "
            f"refused {report.refused}\n"
        )
    text.append(f"raw driver errors {report.raw}, longest operation {report.longest:.1f} s\n")
    number = len(report.violations)
    text.append(f"{number} violation{'' if number == 1 else 's'}", "bold red" if number else "bold green")
    for wrong, times in report.wrong.items():
        text.append(f"\n  {times} x {wrong.value}", "red")
    for violation in report.violations[:_SHOWN]:
        text.append(f"\n  {violation.operation or '-'}: {violation.wrong.value}: {violation.says}")
    return text
