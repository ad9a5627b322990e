"""Which files are checked: those that are named, and the Python files below folders that aren't somebody else's."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from stillhere.errors import ConfigurationError
from stillhere.lint.config import Config
from stillhere.lint.project import SKIPPED

__all__ = ["STDIN", "discover"]

STDIN = "-"
"""Stands for standard input among the paths."""


def discover(paths: Sequence[str], config: Config) -> list[Path]:
    """The files to check, in order, each once.

    Raises:
        ConfigurationError: a path doesn't exist, or can't be read.
    """
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        if not path.exists():
            raise ConfigurationError(f"{given}: no such file or folder")
        if not os.access(path, os.R_OK):
            raise ConfigurationError(f"{given}: no permission to read it")
        if path.is_dir():
            found.update(dict.fromkeys(_below(path, config, _Ignored(path))))
        else:
            found[path] = None
    return list(found)


def _below(folder: Path, config: Config, ignored: _Ignored) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror or error}") from error
    ignored = ignored.at(folder)
    for entry in entries:
        if config.excludes(entry) or ignored.matches(entry):
            continue
        if entry.is_dir():
            if entry.name not in SKIPPED and not entry.is_symlink() and not (entry / "pyvenv.cfg").is_file():
                yield from _below(entry, config, ignored)
        elif entry.suffix == ".py" and entry.is_file():
            yield entry


class _Ignored:
    """The plain patterns of .gitignore files: names, folders and paths. Negations put back, as in git."""

    def __init__(self, root: Path, patterns: Sequence[tuple[Path, str]] = ()) -> None:
        self._root = root
        self._patterns = tuple(patterns)

    def at(self, folder: Path) -> _Ignored:
        """The same with the patterns of one more folder."""
        try:
            lines = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return self
        more = [(folder, line.strip()) for line in lines if line.strip() and not line.startswith("#")]
        return _Ignored(self._root, (*self._patterns, *more))

    def matches(self, path: Path) -> bool:
        """Whether a path is ignored; the last pattern that speaks of it decides."""
        verdict = False
        for folder, pattern in self._patterns:
            negated = pattern.startswith("!")
            if self._matches(path, folder, pattern.lstrip("!")):
                verdict = not negated
        return verdict

    @staticmethod
    def _matches(path: Path, folder: Path, pattern: str) -> bool:
        if pattern.endswith("/") and not path.is_dir():
            return False
        trimmed = pattern.rstrip("/")
        if "/" not in trimmed:
            return fnmatch.fnmatchcase(path.name, trimmed)
        relative = path.relative_to(folder).as_posix()
        return fnmatch.fnmatchcase(relative, trimmed.lstrip("/").removeprefix("**/"))
