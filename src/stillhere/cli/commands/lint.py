"""``stillhere lint PATHS``: mistakes in application code by which connections are lost."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError

if TYPE_CHECKING:
    from stillhere.lint import Config, Found, Report

__all__ = ["register"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("lint")(lint)


def lint(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS", help="Files, folders, or - for standard input.")
    ] = None,
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended without changing anything else.")] = False,
    output: Annotated[_Format, typer.Option("--format", help="How the findings are written.")] = _Format.TEXT,
    select: Annotated[
        list[str] | None, typer.Option(metavar="PREFIX", help="Only rules of this prefix, such as SH1; several times.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="PREFIX", help="Not the rules of this prefix; several times.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever was found.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="RULE", help="Explain a rule, and leave.")] = None,
) -> None:
    """Find mistakes in Python code by which database connections are lost, leaked or shared.

    Nothing is run or imported. Settings stand in [tool.stillhere.lint] of the nearest pyproject.toml; a comment
    "# noqa: SH103" switches a finding off.

    Exits with 0 when nothing was found, with 1 when something was, with 2 when a path or a setting is at fault.
    """
    if explain is not None:
        from stillhere.lint import describe  # noqa: PLC0415 - keeps --help quick

        results.out(describe(explain), end="", highlight=False)
        return
    if not paths:
        raise ConfigurationError("name what to check: files, folders, or - for standard input")
    from stillhere.lint import lint_paths  # noqa: PLC0415 - keeps --help quick

    config = _config(paths, select or [], ignore or [])
    report = lint_paths(paths, config, fix=fix)
    if report.text is not None:
        # With --fix, standard output belongs to the mended text, as in a formatter.
        sys.stdout.write(report.text)
        _summary(report, fix=fix)
    else:
        _WRITERS[output](report)
        if output is _Format.TEXT:
            _summary(report, fix=fix)
    raise typer.Exit(int(bool(report.found) and not exit_zero))


def _config(paths: Sequence[str], select: Sequence[str], ignore: Sequence[str]) -> Config:
    """The settings that hold for the first path."""
    from stillhere.lint.config import check_prefixes, find_config  # noqa: PLC0415 - keeps --help quick

    first = Path.cwd() if paths[0] == "-" else Path(paths[0])
    config = find_config(first if first.is_dir() else first.parent)
    return config.narrowed(check_prefixes("--select", select), check_prefixes("--ignore", ignore))


def _text(report: Report) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help quick

    for one in report.found:
        finding, place = one.finding, one.finding.location
        if place is None:
            continue
        parts: list[str | tuple[str, str]] = [
            (place.path, "bold"),
            f":{place.line}:{place.column} ",
            (finding.rule, "red" if finding.severity.name == "ERROR" else "yellow"),
            f" {finding.message}",
        ]
        if one.fixable:
            parts.append((" [*]", "cyan"))
        results.print(Text.assemble(*parts), soft_wrap=True)
        if finding.remedy is not None and results.is_terminal:
            results.print(Text(f"    {finding.remedy.text}", style="dim"), soft_wrap=True)


def _json(report: Report) -> None:
    results.out(json.dumps([_row(one) for one in report.found], indent=1, ensure_ascii=False), highlight=False)


def _row(one: Found) -> dict[str, object]:
    finding, place = one.finding, one.finding.location
    return {
        "path": place.path if place is not None else "",
        "line": place.line if place is not None else 0,
        "column": place.column if place is not None else 0,
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "fixable": one.fixable,
    }


def _sarif(report: Report) -> None:
    from stillhere.cli.sarif import RuleText, sarif_log  # noqa: PLC0415 - keeps --help quick
    from stillhere.findings import Severity  # noqa: PLC0415 - same
    from stillhere.lint.pages import describe, summary  # noqa: PLC0415 - same
    from stillhere.lint.rules import RULES  # noqa: PLC0415 - same

    rules = [RuleText("SH001", "unreadable", "A file can't be checked.", Severity.ERROR)]
    rules += [RuleText(rule.id, rule.name, summary(rule), rule.severity, describe(rule.id)) for rule in RULES]
    log = sarif_log([one.finding for one in report.found], rules)
    results.out(json.dumps(log, indent=1, ensure_ascii=False), highlight=False)


def _github(report: Report) -> None:
    levels = {"info": "notice", "warning": "warning", "error": "error"}
    for one in report.found:
        finding, place = one.finding, one.finding.location
        if place is None:
            continue
        properties = f"file={_property(place.path)},line={place.line},col={place.column},title={finding.rule}"
        advice = finding.remedy.text if finding.remedy is not None else ""
        text = _escaped(f"{finding.message}. {advice}".strip())
        results.out(f"::{levels[str(finding.severity)]} {properties}::{text}", highlight=False)


def _escaped(text: str) -> str:
    """What a workflow command's message may hold."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """What a workflow command's property may hold."""
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


_WRITERS: dict[_Format, Callable[[Report], None]] = {
    _Format.TEXT: _text,
    _Format.JSON: _json,
    _Format.SARIF: _sarif,
    _Format.GITHUB: _github,
}


def _summary(report: Report, *, fix: bool) -> None:
    """The count, on stderr where stdout is another program's."""
    where = messages if report.text is not None else results
    checked = f"{report.files} {'file' if report.files == 1 else 'files'} checked"
    left = len(report.found)
    said = f"{left} {'finding' if left == 1 else 'findings'}" if left else "nothing found"
    parts = [f"{said}, {checked}"]
    if fix:
        parts.append(f"{report.fixed} mended")
    mendable = sum(one.fixable for one in report.found)
    if mendable and not fix:
        parts.append(f"{mendable} marked [*] can be mended with --fix")
    where.print("; ".join(parts), soft_wrap=True, markup=False)
