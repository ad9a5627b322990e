"""The SARIF log that code hosts read: its structure, its levels, and how places and servers are named in it."""

from __future__ import annotations

import json

import pytest

from stillhere.cli.sarif import RuleText, sarif_log
from stillhere.findings import Evidence, Finding, Location, Remedy, Severity

RULE = RuleText("SH101", "engine-without-liveness", "An engine hands out dead connections.", Severity.WARNING, "# Help")


def finding(**given) -> Finding:
    return Finding(**{"rule": "SH101", "severity": Severity.WARNING, "message": "No liveness check", **given})


def only_result(log):
    (run,) = log["runs"]
    (result,) = run["results"]
    return result


def check_structure(log):
    """What the schema of 2.1.0 demands of the parts that are used here."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for rule in driver["rules"]:
            assert set(rule) <= {"id", "name", "shortDescription", "defaultConfiguration", "help", "helpUri"}
            assert rule["shortDescription"]["text"]
            assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
        assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
        for base in run["originalUriBaseIds"].values():
            assert base["uri"].endswith("/")
        for result in run["results"]:
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            if "ruleIndex" in result:
                assert ids[result["ruleIndex"]] == result["ruleId"]
            for location in result.get("locations", ()):
                assert set(location) <= {"physicalLocation", "logicalLocations"}
                region = location.get("physicalLocation", {}).get("region", {})
                assert region.get("startLine", 1) >= 1
                assert region.get("startColumn", 1) >= 1
    json.dumps(log)


def test_a_log_has_the_structure_that_the_standard_demands(tmp_path):
    log = sarif_log(
        [
            finding(location=Location("app/db.py", 3, 10)),
            finding(location=Location("app/db.py", 0)),
            finding(rule="wait-timeout-short", subject="db.example:3306"),
            finding(rule="no-place-at-all"),
        ],
        [RULE],
        base=tmp_path,
    )
    check_structure(log)
    assert len(log["runs"][0]["results"]) == 4


def test_an_empty_log_still_names_the_rules_that_were_run(tmp_path):
    log = sarif_log([], [RULE], base=tmp_path)
    check_structure(log)
    assert [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]] == ["SH101"]
    assert log["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.INFO, "note"), (Severity.WARNING, "warning"), (Severity.ERROR, "error")]
)
def test_each_severity_has_its_level(tmp_path, severity, level):
    assert only_result(sarif_log([finding(severity=severity)], base=tmp_path))["level"] == level


def test_a_path_below_the_base_is_relative_and_escaped(tmp_path):
    log = sarif_log([finding(location=Location("my app/db#1.py", 3, 10))], base=tmp_path)
    artifact = only_result(log)["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "my%20app/db%231.py", "uriBaseId": "SRCROOT"}


def test_a_path_elsewhere_is_absolute(tmp_path):
    log = sarif_log([finding(location=Location("/elsewhere/db.py", 3, 10))], base=tmp_path)
    artifact = only_result(log)["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///elsewhere/db.py"}


def test_a_server_is_a_logical_location(tmp_path):
    log = sarif_log([finding(subject="db.example:3306")], base=tmp_path)
    assert only_result(log)["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "db.example:3306"}]}]


def test_evidence_and_commands_are_kept(tmp_path):
    log = sarif_log(
        [
            finding(
                why="It was closed.",
                evidence=(Evidence("idle 612 s", "processlist"),),
                remedy=Remedy("Raise it.", ("SET GLOBAL wait_timeout = 600",)),
            )
        ],
        base=tmp_path,
        fingerprints={0: "abc"},
    )
    result = only_result(log)
    assert result["message"]["text"] == "No liveness check. It was closed. Raise it."
    assert result["properties"]["evidence"][0]["fact"] == "idle 612 s"
    assert result["properties"]["commands"] == ["SET GLOBAL wait_timeout = 600"]
    assert result["partialFingerprints"] == {"stillhere/v1": "abc"}
