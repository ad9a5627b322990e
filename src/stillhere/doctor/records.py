"""A report as plain data, for JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stillhere.doctor.runner import Report
from stillhere.findings import Finding, Severity

__all__ = ["finding_record", "report_record"]


def report_record(report: Report) -> dict[str, Any]:
    """The whole report; notes included.

    Keys: ``servers``, ``findings`` (all of them, worst first within a server), ``not_checked`` and ``summary``.
    """
    counts = Counter(str(finding.severity) for finding in report.findings())
    return {
        "servers": [
            {
                "address": server.address,
                "version": server.version,
                "reachable": not server.error,
                "error": server.error,
                "checked": server.checked,
                "seconds": round(server.seconds, 3),
            }
            for server in report.servers
        ],
        "findings": [
            *(finding_record(finding, "") for finding in report.source),
            *(finding_record(finding, server.address) for server in report.servers for finding in server.findings),
        ],
        "not_checked": [
            {"server": server.address, "check": one.check, "reason": one.reason}
            for server in report.servers
            for one in server.not_checked
        ],
        "summary": {
            "servers": len(report.servers),
            "unreachable": sum(1 for server in report.servers if server.error),
            **{str(severity): counts[str(severity)] for severity in reversed(Severity)},
        },
    }


def finding_record(finding: Finding, server: str) -> dict[str, Any]:
    """One finding; ``location`` only where it is about a file."""
    record: dict[str, Any] = {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "server": server,
        "subject": finding.subject,
        "message": finding.message,
        "why": finding.why,
        "evidence": [{"fact": one.fact, "source": one.source, "supports": one.supports} for one in finding.evidence],
        "remedy": None
        if finding.remedy is None
        else {
            "text": finding.remedy.text,
            "commands": list(finding.remedy.commands),
            "cost": finding.remedy.cost,
        },
        "reference": finding.reference,
    }
    if finding.location is not None:
        where = finding.location
        record["location"] = {"path": where.path, "line": where.line, "column": where.column}
    return record
