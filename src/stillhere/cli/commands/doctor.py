"""``stillhere doctor [URL…]``: what will cut the next connection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stillhere.cli.render import messages, results
from stillhere.errors import ConfigurationError
from stillhere.policy import parse_bytes, parse_duration

if TYPE_CHECKING:
    from stillhere.doctor.examination import Instructions
    from stillhere.doctor.runner import Report
    from stillhere.doctor.target import Target
    from stillhere.events import Incident
    from stillhere.findings import Finding

__all__ = ["register"]


class _FailOn(StrEnum):
    WARNING = "warning"
    ERROR = "error"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("doctor")(doctor)


def doctor(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL", help="SQLAlchemy URLs of the servers to look at.")
    ] = None,
    app: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE:ENGINE",
            help="The application's engine, imported from here; its server is looked at too. May be repeated.",
        ),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="The application's source, for the linter's rules. May be repeated."),
    ] = None,
    urls_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with one URL a line; # begins a comment.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many processes run each engine of --app.")] = 1,
    hop_idle: Annotated[
        str, typer.Option(metavar="DURATION", help="An idle limit on the way that you know of, such as 350s.")
    ] = "",
    measure_idle: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Leave eight connections idle for so long, and see how they end."),
    ] = "",
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory of the server's machine or container, such as 4G.")
    ] = "",
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server's error log; for one server only. May be packed.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long a server may take to connect, and to answer.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print the report as SARIF 2.1.0.")] = False,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page to this file.")
    ] = None,
    fail_on: Annotated[_FailOn, typer.Option(help="From which severity on the exit code is 1.")] = _FailOn.WARNING,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show notes, what was measured, and what was not checked.")
    ] = False,
    list_checks: Annotated[bool, typer.Option("--list", help="List the checks, and leave.")] = False,
    explain: Annotated[str, typer.Option(metavar="CHECK", help="Say what a check does, and leave.")] = "",
) -> None:
    """Look at servers, and at the application's pools, for what will cut connections.

    Logs in to each server, asks, and quits properly: nothing is changed, and no counter of aborted clients moves, but
    by --measure-idle. What the account may not see is not checked, and said so.

    Exits with 0 where nothing was found, with 1 for any warning or error (--fail-on error: for errors only), and with 2
    where the input is wrong or a server could not be looked at.
    """
    if list_checks:
        _list()
        return
    if explain:
        _explain(explain)
        return
    from stillhere.doctor.case import Settings  # noqa: PLC0415 - keeps --help quick
    from stillhere.doctor.examination import Instructions  # noqa: PLC0415 - same
    from stillhere.doctor.runner import examine_all  # noqa: PLC0415 - same

    if as_json and as_sarif:
        raise ConfigurationError("--json and --sarif: one of them is printed, not both")
    instructions = Instructions(
        settings=Settings(
            processes=processes,
            hop_idle=parse_duration("--hop-idle", hop_idle) if hop_idle else None,
            memory=parse_bytes("--memory", memory) if memory else None,
        ),
        timeout=timeout,
        measure_idle=parse_duration("--measure-idle", measure_idle) if measure_idle else 0.0,
    )
    targets = _targets([*(urls or ()), *_listed(urls_from)], app or (), alone=not source)
    if log is not None:
        instructions = _with_log(instructions, log, len(targets))
    instructions = replace(instructions, incidents=_recorded())
    if html_file is not None:
        html_file.open("a").close()  # a file that can't be written is a mistake to hear of before the work
    if instructions.measure_idle:
        messages.print(f"leaving eight connections to each server idle for up to {measure_idle}")
    report = replace(examine_all(targets, instructions), source=_linted(source or ()))
    _write_page(report, html_file)
    if as_json:
        _print_json(report)
    elif as_sarif:
        _print_sarif(report)
    else:
        _print_text(report, verbose=verbose)
    raise typer.Exit(_code(report, fail_on))


def _list() -> None:
    from rich.table import Table  # noqa: PLC0415 - keeps --help quick

    from stillhere.doctor.checks import CHECKS  # noqa: PLC0415 - same

    table = Table("check", "what it finds", box=None, pad_edge=False)
    for check in CHECKS:
        table.add_row(check.name, check.title)
    results.print(table)


def _explain(name: str) -> None:
    from rich.markdown import Markdown  # noqa: PLC0415 - keeps --help quick

    from stillhere.doctor.checks import CHECKS  # noqa: PLC0415 - same
    from stillhere.doctor.reference import entry  # noqa: PLC0415 - same

    results.print(Markdown(entry(CHECKS.get(name))))


def _listed(file: Path | None) -> list[str]:
    if file is None:
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _targets(urls: Sequence[str], apps: Sequence[str], *, alone: bool) -> tuple[Target, ...]:
    from stillhere.doctor.application import engines_of  # noqa: PLC0415 - keeps --help quick
    from stillhere.doctor.target import targets_of  # noqa: PLC0415 - same

    if not urls and not apps and alone:
        raise ConfigurationError(
            "nothing to look at; name a URL, such as mysql+pymysql://user:password@host/db, or --app"
        )
    return targets_of(urls, [engine for place in apps for engine in engines_of(place)])


def _linted(paths: Sequence[Path]) -> tuple[Finding, ...]:
    if not paths:
        return ()
    from stillhere.lint.config import find_config  # noqa: PLC0415 - only where it is asked for
    from stillhere.lint.runner import lint_paths  # noqa: PLC0415 - same

    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise ConfigurationError(f"--source {missing}: there is no such file or folder")
    config = find_config(paths[0] if paths[0].is_dir() else paths[0].parent)
    return tuple(one.finding for one in lint_paths([str(path) for path in paths], config).found)


def _recorded() -> tuple[Incident, ...] | None:
    """The losses recorded on this machine within a week; nothing where there is no record, or none that can be read."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only where it is asked for

    from stillhere.causes.incidents import Store, Unreadable, store_path  # noqa: PLC0415 - same

    path = store_path()
    if path is None or not path.exists():
        return None
    try:
        return tuple(Store(path).read(since=datetime.now(UTC) - timedelta(days=7)))
    except Unreadable as error:
        messages.print(str(error))
        return None


def _with_log(instructions: Instructions, file: Path, servers: int) -> Instructions:
    from stillhere.doctor.logs import log_file  # noqa: PLC0415 - only where it is asked for

    if servers != 1:
        raise ConfigurationError(f"--log is for one server, and {servers} are to be looked at")
    summary = log_file(file)
    if summary.damage:
        messages.print(summary.damage)
    return replace(instructions, log=summary)


def _write_page(report: Report, file: Path | None) -> None:
    if file is None:
        return
    from stillhere import __version__  # noqa: PLC0415 - only where it is asked for
    from stillhere.doctor.page import page  # noqa: PLC0415 - same

    file.write_text(page(report, __version__), encoding="utf-8")


def _print_json(report: Report) -> None:
    from stillhere.doctor.records import report_record  # noqa: PLC0415 - only where it is asked for

    results.out(json.dumps(report_record(report), indent=1), highlight=False)


def _print_sarif(report: Report) -> None:
    from stillhere.cli.sarif import RuleText, sarif_log  # noqa: PLC0415 - only where it is asked for
    from stillhere.doctor.checks import CHECKS  # noqa: PLC0415 - same
    from stillhere.doctor.reference import entry  # noqa: PLC0415 - same
    from stillhere.findings import Severity  # noqa: PLC0415 - same

    rules = [
        RuleText(check.name, check.name, check.title, Severity.WARNING, entry(check), check.reference)
        for check in CHECKS
    ]
    results.out(json.dumps(sarif_log(report.findings(), rules), indent=1), highlight=False)


def _print_text(report: Report, *, verbose: bool) -> None:
    from stillhere.cli.doctoring import show  # noqa: PLC0415 - keeps --help quick

    show(results, report, verbose=verbose)


def _code(report: Report, fail_on: _FailOn) -> int:
    from stillhere.findings import Severity  # noqa: PLC0415 - keeps --help quick

    return int(report.exit_code(Severity[fail_on.name]))
