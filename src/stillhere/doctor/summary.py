"""A report in a few words: what every way of showing it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from stillhere.doctor.advice import plural
from stillhere.doctor.examination import Examination
from stillhere.doctor.runner import Report
from stillhere.findings import Severity

__all__ = ["Gap", "closing", "gaps"]


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
    where = plural(looked, "server") if report.servers else "source"
    return f"{where}: {words}{notes}{missing}"


class Gap(NamedTuple):
    """What was not checked for one reason: the checks, and on how many servers."""

    reason: str
    checks: tuple[str, ...]
    servers: int

    def __str__(self) -> str:
        return f"not checked on {plural(self.servers, 'server')} ({self.reason}): {plural(len(self.checks), 'check')}"


def gaps(servers: Iterable[Examination]) -> tuple[Gap, ...]:
    """What was not checked, by its reason; most checks first."""
    checks: dict[str, dict[str, None]] = {}
    places: dict[str, set[str]] = {}
    for server in servers:
        for one in server.not_checked:
            checks.setdefault(one.reason, {})[one.check] = None
            places.setdefault(one.reason, set()).add(server.address)
    found = [Gap(reason, tuple(several), len(places[reason])) for reason, several in checks.items()]
    return tuple(sorted(found, key=lambda gap: (-len(gap.checks), gap.reason)))
