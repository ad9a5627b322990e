"""The reference page is what the checks say of themselves, and each of them says enough."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from stillhere.doctor import checks
from stillhere.doctor.check import Turn
from stillhere.doctor.checks import CHECKS
from stillhere.doctor.reference import HEADINGS, reference

ROOT = Path(__file__).parents[3]
FOLDER = Path(checks.__file__).parent


def test_the_page_is_up_to_date():
    page = (ROOT / "docs/reference/doctor-checks.md").read_text(encoding="utf-8")
    assert page == reference(), "run: .venv/bin/python tools/doctor_checks.py"


def test_every_file_of_the_folder_is_registered():
    files = {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}
    assert files == {name.replace("-", "_") for name in CHECKS.names()}


@pytest.mark.parametrize("check", list(CHECKS), ids=lambda check: check.name)
def test_a_check_describes_itself(check):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", check.name)
    assert len(check.title.split()) <= 8
    assert tuple(re.findall(r"^## (.+)$", check.description, re.MULTILINE)) == HEADINGS
    assert check.reference.startswith("https://")
    assert check.mysql is not None or check.mariadb is not None
    assert len({turn for _, turn in check.advises} & {Turn.UP, Turn.DOWN}) <= 1


@pytest.mark.parametrize("check", list(CHECKS), ids=lambda check: check.name)
def test_a_check_is_pure(check):
    """It imports nothing that could ask a server, a clock or a file."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(check.judge)))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    own = {name for name in imported if name.startswith("stillhere.")}
    assert {name.removeprefix("stillhere.") for name in own} <= {
        "doctor.advice",
        "doctor.case",
        "doctor.check",
        "doctor.engines",
        "doctor.galera",
        "doctor.history",
        "doctor.idling",
        "doctor.limits",
        "errorlog.entry",
        "errorlog.summary",
        "findings",
    }
    assert imported - own <= {"__future__", "collections", "collections.abc", "datetime", "re"}
