"""A doctor's report as one HTML page that fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from stillhere.doctor.advice import plural
from stillhere.doctor.examination import Examination
from stillhere.doctor.runner import Report
from stillhere.doctor.summary import closing, gaps
from stillhere.findings import Finding, Severity, worst

__all__ = ["page"]

_MOODS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "good", None: "good"}
_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def page(report: Report, version: str) -> str:
    """The whole page.

    Args:
        report: what was found.
        version: stillhere's own.
    """
    away = any(server.error for server in report.servers)
    mood = "error" if away else _MOODS[worst(report.findings())]
    sections = [_findings(report.source)] if report.source else []
    sections += [_server(server) for server in report.servers]
    sections.append(_gaps(report))
    template = Template(files("stillhere.doctor").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        headline=escape(closing(report)), version=escape(version), mood=mood, sections="\n".join(sections)
    )


def _server(server: Examination) -> str:
    title = f'{escape(server.address)} <span class="soft">{escape(server.version)}</span>'
    if server.error:
        body = f'<article class="error"><h3>could not be looked at</h3><p>{escape(server.error)}</p></article>'
    else:
        body = _findings(server.findings)
        if not any(finding.severity > Severity.INFO for finding in server.findings):
            body = f'<p class="verdict good">nothing to fix ({plural(server.checked, "check")})</p>\n{body}'
    return f"<section>\n<h2>{title}</h2>\n{body}\n</section>"


def _findings(findings: Iterable[Finding]) -> str:
    return "\n".join(_finding(finding) for finding in findings)


def _finding(finding: Finding) -> str:
    parts = [
        f'<article class="{finding.severity}">',
        f'<div class="head"><span class="chip">{_NAMES[finding.severity]}</span>',
        f"<code>{escape(finding.rule)}</code></div>",
        f"<h3>{escape(finding.message)}</h3>",
    ]
    if finding.location is not None:
        parts.append(f'<p class="small soft">{escape(finding.location.path)}:{finding.location.line}</p>')
    if finding.why:
        parts.append(f"<p>{escape(finding.why)}</p>")
    if finding.remedy is not None:
        cost = f" Costs {finding.remedy.cost}." if finding.remedy.cost else ""
        parts.append(f"<p><strong>{escape(finding.remedy.text)}</strong>{escape(cost)}</p>")
        parts += [f"<pre>{escape(command)}</pre>" for command in finding.remedy.commands]
    measured = "".join(
        f'<li>{escape(one.fact)} <span class="soft">({escape(one.source)})</span></li>' for one in finding.evidence
    )
    if measured or finding.reference:
        link = (
            f'<p><a href="{escape(finding.reference)}">{escape(finding.reference)}</a></p>' if finding.reference else ""
        )
        parts.append(f'<details><summary>measured</summary><ul class="small">{measured}</ul>{link}</details>')
    return "\n".join([*parts, "</article>"])


def _gaps(report: Report) -> str:
    found = gaps(report.servers)
    if not found:
        return ""
    rows = "".join(
        f'<li>{escape(str(gap))}: <span class="soft">{escape(", ".join(gap.checks))}</span></li>' for gap in found
    )
    return f'<section>\n<h2>Not checked</h2>\n<ul class="small">{rows}</ul>\n</section>'
