"""Every rule fires where its case file says so, and nowhere else.

A case file under tests/cases/lint/ is code as applications have it. A trailing comment ``# expect: SH101`` (or
``# expect: SH101, SH102``) names the rules that fire on its line; every other line must stay silent under all
rules. A folder under tests/cases/lint/projects/ is a project of several files, checked as a whole.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from stillhere.lint import Config, lint_paths
from stillhere.lint.config import load_config
from stillhere.lint.rules import RULES

CASES = Path(__file__).parents[2] / "cases" / "lint"
FILES = sorted(CASES.glob("*.py"))
PROJECTS = sorted(path for path in (CASES / "projects").iterdir() if path.is_dir())
EXPECTED = re.compile(r"# expect: (SH\d{3}(?:, SH\d{3})*)")


def expected(file: Path) -> set[tuple[str, int, str]]:
    found = set()
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        for match in EXPECTED.finditer(line):
            found |= {(file.name, number, rule) for rule in match[1].split(", ")}
    return found


def found(path: Path, config: Config) -> list[tuple[str, int, str]]:
    report = lint_paths([str(path)], config)
    places = [(one.finding.location, one.finding.rule) for one in report.found]
    return [(Path(place.path).name, place.line, rule) for place, rule in places]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_case_file_has_exactly_the_findings_that_it_names(file, tmp_path):
    alone = shutil.copy(file, tmp_path)  # beside other cases it would not be a project of its own
    assert sorted(found(Path(alone), Config(root=tmp_path))) == sorted(expected(file))


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda path: path.name)
def test_a_project_has_exactly_the_findings_that_its_files_name(folder):
    wanted = set().union(*(expected(file) for file in folder.rglob("*.py")))
    config = load_config(folder / "pyproject.toml") if (folder / "pyproject.toml").exists() else None
    assert sorted(found(folder, config or Config(root=folder))) == sorted(wanted)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_has_a_case_file_in_which_it_fires_and_stays_silent(rule):
    files = list(CASES.glob(f"{rule}_*.py"))
    assert files
    for file in files:
        assert rule in {one for _, _, one in expected(file)}
        silent = len(file.read_text(encoding="utf-8").splitlines()) - len(expected(file))
        assert silent > 2 * len(expected(file))
