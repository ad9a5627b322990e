"""Findings as SARIF 2.1.0, which code hosts and editors read.

One log for whatever reports `Finding`s: those of a linter have a place in a file, those about a server have a subject.

Reference: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS Standard, 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from stillhere import __version__
from stillhere.findings import Finding, Severity

__all__ = ["SCHEMA", "RuleText", "sarif_log"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""The schema that a log names."""

_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}
_ROOT = "SRCROOT"


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a log says about a rule or check that can report.

    Attributes:
        id: as in `Finding.rule`.
        name: its name, in words or kebab-case.
        summary: one sentence.
        severity: of its findings.
        help: the whole explanation in Markdown; may be empty.
        reference: address of a page about it; may be empty.
    """

    id: str
    name: str
    summary: str
    severity: Severity
    help: str = ""
    reference: str = ""


def sarif_log(
    findings: Iterable[Finding],
    rules: Iterable[RuleText] = (),
    *,
    base: Path | None = None,
    fingerprints: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """A whole log, ready for ``json.dumps``.

    Args:
        findings: what was found.
        rules: every rule that was run, those without a finding as well. A finding of any other rule is allowed.
        base: paths below it are written relative to it; the current directory where none is given.
        fingerprints: for a finding's place in `findings`, a text by which a later run knows it again.
    """
    listed = list(rules)
    places = {rule.id: place for place, rule in enumerate(listed)}
    root = (base or Path.cwd()).resolve()
    prints = fingerprints or {}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "stillhere",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in listed],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"uri": f"{root.as_uri().rstrip('/')}/"}},
                "results": [
                    _result(finding, places, root, prints.get(place)) for place, finding in enumerate(findings)
                ],
            }
        ],
    }


def _rule(rule: RuleText) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }
    if rule.help:
        described["help"] = {"text": rule.help, "markdown": rule.help}
    if rule.reference:
        described["helpUri"] = rule.reference
    return described


def _result(finding: Finding, places: Mapping[str, int], root: Path, fingerprint: str | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
    }
    if finding.rule in places:
        result["ruleIndex"] = places[finding.rule]
    location = _location(finding, root)
    if location:
        result["locations"] = [location]
    if fingerprint:
        result["partialFingerprints"] = {"stillhere/v1": fingerprint}
    properties: dict[str, Any] = {}
    if finding.evidence:
        properties["evidence"] = [
            {"fact": one.fact, "source": one.source, "supports": one.supports} for one in finding.evidence
        ]
    if finding.remedy is not None and finding.remedy.commands:
        properties["commands"] = list(finding.remedy.commands)
    if properties:
        result["properties"] = properties
    return result


def _message(finding: Finding) -> str:
    remedy = finding.remedy.text if finding.remedy is not None else ""
    return " ".join(part for part in (f"{finding.message.rstrip('.')}.", finding.why, remedy) if part)


def _location(finding: Finding, root: Path) -> dict[str, Any] | None:
    place = finding.location
    if place is None:
        return {"logicalLocations": [{"fullyQualifiedName": finding.subject}]} if finding.subject else None
    region: dict[str, Any] = {"startLine": max(place.line, 1)}
    if place.column > 0:
        region["startColumn"] = place.column
    return {"physicalLocation": {"artifactLocation": _artifact(place.path, root), "region": region}}


def _artifact(path: str, root: Path) -> dict[str, str]:
    """A relative URI below the root where the file is there, an absolute one where it isn't."""
    absolute = (root / path).resolve()
    if absolute.is_relative_to(root):
        return {"uri": quote(PurePath(absolute.relative_to(root)).as_posix()), "uriBaseId": _ROOT}
    return {"uri": absolute.as_uri()}
