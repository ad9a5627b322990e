"""Each check against its case file: it fires on each fault that is told there, and stays silent otherwise."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stillhere.doctor.checks import CHECKS
from stillhere.findings import Severity

CASES = Path(__file__).parents[2] / "cases/doctor"


def cases(kind):
    for file in sorted(CASES.glob("*.toml")):
        for place, one in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))[kind]):
            yield pytest.param(file.stem, one, id=f"{file.stem}-{place}-{one.get('because') or one.get('says')}")


def asked(build, name, one):
    """What the check says of the case, on the server that the case names or the first that the check is for."""
    check = CHECKS.get(name)
    case = build(one, one.get("on") or ("mysql" if check.mysql is not None else "mariadb"))
    assert check.applies(case), "the case names a server that the check isn't for"
    assert check.missing(case) == ""
    return check.findings(case)


def test_every_check_has_a_case_file_and_no_file_is_without_a_check():
    assert {file.stem for file in CASES.glob("*.toml")} == set(CHECKS.names())


@pytest.mark.parametrize("name", CHECKS.names())
def test_every_case_file_has_the_check_fire_and_stay_silent(name):
    found = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))
    assert found["fires"]
    assert found["silent"]


@pytest.mark.parametrize(("name", "one"), list(cases("fires")))
def test_a_fault_is_found_with_its_numbers_and_with_something_to_do(build, name, one):
    findings = asked(build, name, one)
    assert len(findings) == 1
    finding = findings[0]
    assert finding.rule == name
    assert finding.severity is Severity[one["severity"].upper()]
    assert one["says"] in finding.message
    assert one.get("why", "") in finding.why
    assert finding.why
    assert finding.evidence
    assert all(evidence.fact and evidence.source for evidence in finding.evidence)
    assert finding.remedy is not None
    assert finding.remedy.text
    if "runs" in one:
        commands = "\n".join(finding.remedy.commands)
        assert [part for part in one["runs"] if part not in commands] == []
        assert bool(commands) == bool(one["runs"])
    assert finding.reference.startswith("https://")
    assert finding.subject


@pytest.mark.parametrize(("name", "one"), list(cases("silent")))
def test_no_fault_is_found_where_there_is_none(build, name, one):
    assert asked(build, name, one) == ()


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_a_fresh_server_with_a_protected_application_has_nothing_to_fix(build, flavour):
    case = build({"engines": [{"protected": True, "connect_timeout": 5.0}]}, flavour)
    found = [finding for check in CHECKS if check.applies(case) for finding in check.findings(case)]
    assert [one.rule for one in found if one.severity > Severity.INFO] == []
