"""A project in a folder of its own, and the linter on it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from stillhere.lint import lint_paths
from stillhere.lint.config import find_config

BAD = 'from sqlalchemy import create_engine\n\nengine = create_engine("mysql://app@db.example/shop")\n'


class Folder:
    """Files by name, and what the linter says about them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str = BAD) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(textwrap.dedent(text).encode())
        return file

    def lint(self, *names: str, fix: bool = False):
        paths = [str(self.path / name) for name in names or (".",)]
        return lint_paths(paths, find_config(self.path), fix=fix)

    def found(self, *names: str) -> list[tuple[str, int, str]]:
        places = [(one.finding.location, one.finding.rule) for one in self.lint(*names).found]
        return [(str(Path(place.path).relative_to(self.path)), place.line, rule) for place, rule in places]


@pytest.fixture
def folder(tmp_path) -> Folder:
    """An empty project."""
    return Folder(tmp_path)
