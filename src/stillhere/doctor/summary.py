"""A report in a few words: what every way of showing it says."""

from __future__ import annotations

from collections.abc import Iterable

from stillhere.doctor.examination import Examination
from stillhere.doctor.runner import Report
from stillhere.findings import Severity

__all__ = ["closing", "gaps", "plural"]


def closing(report: Report) -> str:
    """The last line: how many servers, how many findings, how many servers that didn't answer."""
    counts = {severity: sum(1 for one in report.findings() if one.severity is severity) for severity in Severity}
    found = [
        plural(counts[severity], str(severity)) for severity in (Severity.ERROR, Severity.WARNING) if counts[severity]
    ]
    looked = sum(1 for server in report.servers if not server.error)
    away = len(report.servers) - looked
    words = ", ".join(found) or "nothing to fix"
    notes = f"; {plural(counts[Severity.INFO], 'note')}" if counts[Severity.INFO] else ""
    missing = f"; {plural(away, 'server')} could not be looked at" if away else ""
    return f"{plural(looked, 'server')}: {words}{notes}{missing}"


def gaps(servers: Iterable[Examination]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was not checked: each reason with the checks that it concerns on any server, most checks first."""
    found: dict[str, dict[str, None]] = {}
    for server in servers:
        for one in server.not_checked:
            found.setdefault(one.reason, {})[one.check] = None
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple((reason, tuple(checks)) for reason, checks in ordered)


def plural(count: int, noun: str) -> str:
    """``1 server``, ``2 servers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
