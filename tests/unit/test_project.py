"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("src", "tests", "benchmarks", "tools")
MODULES = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
FRAGMENT_KINDS = {"added", "changed", "fixed", "removed"}
MACHINE = re.compile(
    r"/(?:work|root|home/\w+|Users/\w+|tmp/\w+)/"  # a place on somebody's machine
    r"|https?://(?:[\w-]+\.)*(?:pkg\.dev|artifactory|nexus)\b"  # somebody's mirror
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def committed() -> list[Path]:
    """What git knows of; everything outside build products where this isn't a clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607 - whichever git the clone was made with
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_fits_in_a_head(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize("path", [path for path in MODULES if "tests" not in path.parts], ids=name)
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "no module docstring"


def test_no_file_names_a_place_on_somebodys_machine():
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name(path)}: {match[0]}" for match in MACHINE.finditer(text)]
    assert found == []


def test_every_change_fragment_is_named_after_its_change_and_kind():
    for path in (ROOT / "changes").iterdir():
        if path.name == "README.md":
            continue
        slug, kind, suffix = path.name.split(".")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug), path.name
        assert kind in FRAGMENT_KINDS, path.name
        assert suffix == "md", path.name
        text = path.read_text(encoding="utf-8").strip()
        assert text, path.name
        assert text.endswith("."), path.name


def test_every_make_target_is_documented_and_listed_by_help():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    documented = set(re.findall(r"^([a-z]+):[^\n]*## \S", makefile, re.MULTILINE))
    assert documented == phony
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    assert {line.split()[1] for line in shown.stdout.splitlines()} == phony


def test_the_readme_shows_the_two_commands_and_ci_runs_one_of_them():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make drill" in readme
    assert "make test" in readme
    assert re.findall(r"\bmake \w+", (ROOT / ".ci/run").read_text(encoding="utf-8")) == ["make test"]


def test_constraints_are_plain_pins_for_everything_the_project_asks_for():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", pin) for pin in pins)

    pinned = {normal(pin.split("==")[0]) for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["build-system"]["requires"], *(one for extra in extras.values() for one in extra)]
    names = {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in wanted} - {"stillhere"}
    assert names - pinned == set()


def normal(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


@pytest.mark.parametrize("path", [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"], ids=name)
def test_links_between_pages_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target
