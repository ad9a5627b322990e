"""An option file with what it includes: who sets a variable, and which of them wins."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from stillhere.errors import ConfigurationError
from stillhere.tune.optionfile import Kind, OptionFile, parse
from stillhere.tune.spelling import Conventions, text

__all__ = ["Reading", "Setting", "read_tree"]

_DEEPEST = 10  # the servers' own limit for includes in includes


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that sets a variable.

    Attributes:
        variable: its name, with ``_``.
        value: as written.
        path: the file.
        line: from 1.
    """

    variable: str
    value: str
    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a server finds that starts with this file.

    Attributes:
        path: the file that was given.
        file: its lines.
        settings: in the order in which the server meets them: the last one of a variable wins.
        paths: every file that was read.
        gaps: what could not be followed, and why; what stands there may win.
    """

    path: Path
    file: OptionFile
    settings: tuple[Setting, ...]
    paths: tuple[Path, ...]
    gaps: tuple[str, ...] = ()

    def of(self, variable: str) -> tuple[Setting, ...]:
        """All places that set it, the winner last."""
        return tuple(setting for setting in self.settings if setting.variable == variable)


@dataclass(slots=True)
class _Walk:
    rules: Conventions
    settings: list[Setting]
    paths: list[Path]
    gaps: list[str]


def read_tree(path: Path, rules: Conventions) -> Reading:
    """Read a file and what it includes.

    Raises:
        ConfigurationError: the file isn't there, can't be read, or is no regular file.
    """
    walk = _Walk(rules, [], [], [])
    try:
        if not path.is_file():
            raise ConfigurationError(f"{path} is no file")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    file = parse(data)
    if path.stat().st_mode & stat.S_IWOTH:
        walk.gaps.append(f"{path} is writable for everybody: servers pass it over (chmod o-w {path})")
    _follow(walk, path, file, 0)
    return Reading(path, file, tuple(walk.settings), tuple(walk.paths), tuple(walk.gaps))


def _follow(walk: _Walk, path: Path, file: OptionFile, depth: int) -> None:
    walk.paths.append(path)
    walk.gaps += [f"{path}:{number} {problem}" for number, problem in file.problems]
    for number, line in enumerate(file.lines, 1):
        meaning = walk.rules.meaning(line)
        if meaning is not None:
            walk.settings.append(Setting(*meaning, path, number))
        elif line.kind in {Kind.INCLUDE, Kind.INCLUDEDIR}:
            target = Path(text(line.name))
            if not target.is_absolute():
                walk.gaps.append(f"{path}:{number} includes {target}: where that is depends on where the server starts")
            elif depth == _DEEPEST:
                walk.gaps.append(f"{path}:{number} includes more than {_DEEPEST} files deep: servers don't follow")
            else:
                for one in _targets(walk, line.kind, target, f"{path}:{number}"):
                    _open(walk, one, f"{path}:{number}", depth + 1)


def _targets(walk: _Walk, kind: Kind, target: Path, place: str) -> list[Path]:
    if kind is Kind.INCLUDE:
        return [target]
    try:
        return sorted(one for one in target.iterdir() if one.name.endswith(".cnf"))
    except OSError as error:
        walk.gaps.append(f"{place} includes the directory {target}, which can't be read: {error.strerror}")
        return []


def _open(walk: _Walk, path: Path, place: str, depth: int) -> None:
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            walk.gaps.append(f"{path} is writable for everybody: servers pass it over")
            return
        data = path.read_bytes()
    except FileNotFoundError:
        return  # servers pass over it without a word
    except OSError as error:
        walk.gaps.append(f"{place} includes {path}, which can't be read: {error.strerror}")
        return
    _follow(walk, path, parse(data), depth)
