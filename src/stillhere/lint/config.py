"""``[tool.stillhere.lint]`` in pyproject.toml: read strictly, since a misspelt key would switch nothing off."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stillhere.errors import ConfigurationError
from stillhere.lint.rules.base import Options

__all__ = ["Config", "find_config", "load_config"]

_KEYS = ("select", "ignore", "per-file-ignores", "exclude", "idle-limit", "max-allowed-packet")


@dataclass(frozen=True, slots=True)
class Config:
    """What is checked, and how.

    Attributes:
        root: the folder of the pyproject.toml; patterns are relative to it.
        select: prefixes of rule ids that are checked; all where empty.
        ignore: prefixes that aren't.
        per_file_ignores: glob patterns to prefixes that are ignored in these files.
        exclude: glob patterns of files and folders that are left out.
        options: what the rules ask for.
    """

    root: Path = field(default_factory=Path.cwd)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)

    def chosen(self, rule: str, path: Path) -> bool:
        """Whether a rule's findings in a file count."""
        if self.select and not rule.startswith(self.select):
            return False
        if rule.startswith(self.ignore) if self.ignore else False:
            return False
        return not any(
            rule.startswith(prefixes) for pattern, prefixes in self.per_file_ignores.items() if self._at(path, pattern)
        )

    def excludes(self, path: Path) -> bool:
        """Whether a file or folder is left out."""
        return any(self._at(path, pattern) for pattern in self.exclude)

    def narrowed(self, select: Iterable[str], ignore: Iterable[str]) -> Config:
        """The same with what the command line says: its select replaces, its ignore adds."""
        chosen = tuple(select) or self.select
        return replace(self, select=chosen, ignore=(*self.ignore, *ignore))

    def _at(self, path: Path, pattern: str) -> bool:
        try:
            relative = path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            relative = path.as_posix()
        trimmed = pattern.rstrip("/")
        parts = relative.split("/")
        return (
            fnmatch.fnmatchcase(relative, trimmed)
            or fnmatch.fnmatchcase(relative, f"{trimmed}/*")
            or ("/" not in trimmed and any(fnmatch.fnmatchcase(part, trimmed) for part in parts))
        )


def find_config(start: Path) -> Config:
    """The settings of the nearest pyproject.toml at or above a folder that has a table for us; else the defaults."""
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            found = load_config(file)
            if found is not None:
                return found
    return Config(root=start)


def load_config(file: Path) -> Config | None:
    """The settings in one pyproject.toml; ``None`` where it has no table for us.

    Raises:
        ConfigurationError: a key is unknown or its value is of another kind.
    """
    try:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    table: Any = whole
    for name in ("tool", "stillhere", "lint"):
        table = table.get(name) if isinstance(table, dict) else None
    if table is None:
        return None
    where = f"{file}: [tool.stillhere.lint]"
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where} is not a table")
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise ConfigurationError(f"{where}: unknown key {unknown[0]!r}; there are: {', '.join(_KEYS)}")
    ignores = table.get("per-file-ignores", {})
    if not isinstance(ignores, dict):
        raise ConfigurationError(f"{where} per-file-ignores: write a table of patterns, found {ignores!r}")
    limits = Options()
    return Config(
        root=file.parent.resolve(),
        select=_prefixes(where, "select", table.get("select", [])),
        ignore=_prefixes(where, "ignore", table.get("ignore", [])),
        per_file_ignores={
            pattern: _prefixes(where, f"per-file-ignores {pattern!r}", given) for pattern, given in ignores.items()
        },
        exclude=_texts(where, "exclude", table.get("exclude", [])),
        options=Options(
            idle_limit=_positive(where, "idle-limit", table.get("idle-limit", limits.idle_limit), "seconds"),
            packet_limit=int(
                _positive(where, "max-allowed-packet", table.get("max-allowed-packet", limits.packet_limit), "bytes")
            ),
        ),
    )


def check_prefixes(where: str, prefixes: Iterable[str]) -> tuple[str, ...]:
    """The prefixes themselves; a `ConfigurationError` for one that no rule's id begins with."""
    from stillhere.lint.rules import RULES  # noqa: PLC0415 - the rules import this package's base

    ids = ["SH001", *(rule.id for rule in RULES)]
    given = tuple(prefixes)
    for prefix in given:
        if not prefix or not any(one.startswith(prefix) for one in ids):
            raise ConfigurationError(f"{where}: no rule begins with {prefix!r}; there are {ids[1]} to {max(ids)}")
    return given


def _prefixes(where: str, key: str, value: Any) -> tuple[str, ...]:
    return check_prefixes(f"{where} {key}", _texts(where, key, value))


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigurationError(f"{where} {key}: write a list of texts, found {value!r}")
    return tuple(value)


def _positive(where: str, key: str, value: Any, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(f"{where} {key}: write a number of {unit} over 0, found {value!r}")
    return float(value)
