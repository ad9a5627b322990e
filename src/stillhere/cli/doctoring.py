"""A doctor's report on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from stillhere.doctor.advice import plural
from stillhere.doctor.examination import Examination
from stillhere.doctor.runner import Report
from stillhere.doctor.summary import closing, gaps
from stillhere.findings import Finding, Severity

__all__ = ["show"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDENT = 4


def show(console: Console, report: Report, *, verbose: bool) -> None:
    """Print it, server by server, worst first; notes and what backs each finding only where asked for."""
    if report.source:
        _section(console, Text("source", "bold"), report.source, verbose=verbose)
    for server in report.servers:
        _server(console, server, verbose=verbose)
    for gap in gaps(report.servers):
        _wrapped(console, Text(str(gap), "dim"), 0)
        if verbose:
            _wrapped(console, Text(", ".join(gap.checks), "dim"), _INDENT)
    _wrapped(console, Text(closing(report), "bold"), 0)


def _server(console: Console, server: Examination, *, verbose: bool) -> None:
    head = Text.assemble((server.address, "bold"), f"  {server.version}" if server.version else "")
    if server.error:
        console.print(head.append("  could not be looked at: ", "bold red").append(server.error), soft_wrap=True)
        return
    if not any(finding.severity > Severity.INFO for finding in server.findings):
        head.append("  nothing to fix", "green").append(f" ({plural(server.checked, 'check')})", "dim")
    _section(console, head, server.findings, verbose=verbose)


def _section(console: Console, head: Text, findings: Iterable[Finding], *, verbose: bool) -> None:
    console.print(head, soft_wrap=True)
    for finding in findings:
        if finding.severity is Severity.INFO and not verbose:
            continue
        title = Text.assemble(
            (f"{_NAMES[finding.severity]}: ", _STYLES[finding.severity]), finding.message, (f"  {finding.rule}", "dim")
        )
        _wrapped(console, title, 2)
        for text, whole in _details(finding, verbose=verbose):
            if whole:  # to be pasted: never broken
                console.print(Text(" " * _INDENT).append_text(text), soft_wrap=True)
            else:
                _wrapped(console, text, _INDENT)
    console.print()


def _details(finding: Finding, *, verbose: bool) -> Iterator[tuple[Text, bool]]:
    """The lines under a finding, each with whether it must stay in one piece."""
    if finding.location is not None:
        yield Text(f"{finding.location.path}:{finding.location.line}", "dim"), True
    if finding.why:
        yield Text(finding.why), False
    if verbose:
        for evidence in finding.evidence:
            yield Text(f"measured: {evidence.fact} ({evidence.source})", "dim"), False
    if finding.remedy is not None:
        cost = f" Costs {finding.remedy.cost}." if finding.remedy.cost else ""
        yield Text(f"Do: {finding.remedy.text}{cost}"), False
        for command in finding.remedy.commands:
            for line in command.splitlines():
                yield Text(f"  {line}", "cyan"), True
    if verbose and finding.reference:
        yield Text(finding.reference, "dim"), True


def _wrapped(console: Console, text: Text, indent: int) -> None:
    """Print it wrapped and indented, without blanks at the ends of lines: what is copied stays clean."""
    for line in text.wrap(console, max(20, console.width - indent)):
        line.rstrip()
        console.print(Text(" " * indent).append_text(line), soft_wrap=True)
