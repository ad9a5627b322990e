"""Which variable an option means, in all the ways in which servers let it be written.

Seen on MySQL 9.7 and MariaDB 10.11: ``-`` and ``_`` are the same; names are case-sensitive, and are not completed in
option files; ``loose_`` may stand in front; ``skip_X`` and ``disable_X`` switch X off (or set a number to its
minimum), with a false value they switch it on; ``maximum_X`` is a limit for X, not X.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stillhere.server.versions import Flavour, ServerVersion
from stillhere.tune.optionfile import Kind, Line

__all__ = ["Conventions", "conventions", "same_value", "text"]

_SUFFIX = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}
_NUMBER = re.compile(r"\s*([+-]?\d+)([kmgtpe])?b?\s*\Z", re.IGNORECASE)
_SWITCH = {"on": "ON", "true": "ON", "1": "ON", "off": "OFF", "false": "OFF", "0": "OFF"}
# MySQL has an older option of that name, with the dash, which is ON whatever value follows it.
_ON_WHATEVER_FOLLOWS = frozenset({b"skip-name-resolve"})


@dataclass(frozen=True, slots=True)
class Conventions:
    """How one server reads its option files.

    Attributes:
        flavour: its family.
        groups: the groups that it reads, in lower case.
        variables: its own variables' names, in lower case with ``_``.
    """

    flavour: Flavour
    groups: frozenset[str]
    variables: frozenset[str]

    def reads(self, line: Line) -> bool:
        """Whether the server looks at this line's group."""
        return text(line.group).lower() in self.groups

    def meaning(self, line: Line) -> tuple[str, str] | None:
        """The variable and the value that an option of the server's gives it; ``None`` for other lines.

        The value is as written, or ``ON`` and ``OFF`` where the form itself says so.
        """
        if line.kind is not Kind.OPTION or not self.reads(line):
            return None
        name = text(line.name).replace("-", "_")
        loose = "loose_"
        while name.startswith(loose) or (self.flavour is Flavour.MARIADB and name.lower().startswith(loose)):
            name = name[len(loose) :]
        value = None if line.value is None else text(line.value)
        if name in self.variables:
            always_on = self.flavour is Flavour.MYSQL and line.name in _ON_WHATEVER_FOLLOWS
            return name, "ON" if value is None or always_on else value
        for prefix, state in (("skip_", "OFF"), ("disable_", "OFF"), ("enable_", "ON")):
            if name.startswith(prefix) and name.removeprefix(prefix) in self.variables:
                off = value is not None and _SWITCH.get(value.lower()) == "OFF"
                opposite = {"OFF": "ON", "ON": "OFF"}[state]
                return name.removeprefix(prefix), opposite if off else state
        return name, "ON" if value is None else value

    def direct(self, line: Line, variable: str) -> bool:
        """Whether the line gives the variable's value as it is: by its own name, ``loose_`` aside, with ``=``."""
        name = text(line.name).replace("-", "_")
        if self.flavour is Flavour.MYSQL and line.name in _ON_WHATEVER_FOLLOWS:
            return False
        return line.value_at is not None and name.lower().removeprefix("loose_") == variable


def conventions(version: ServerVersion, variables: Iterable[str]) -> Conventions:
    """How a server of that version reads its option files.

    Sources: "Server Option Files" and "Configuring MariaDB with Option Files" of the manuals.
    """
    number = ".".join(map(str, version.number[:2]))
    groups = {"mysqld", "server", f"mysqld-{number}"}
    if version.flavour is Flavour.MARIADB:
        groups |= {"mariadb", f"mariadb-{number}", "mariadbd", f"mariadbd-{number}", "client-server", "galera"}
    return Conventions(version.flavour, frozenset(groups), frozenset(variables))


def text(data: bytes) -> str:
    """Bytes of an option file as text that can be turned back."""
    return data.decode("utf-8", "surrogateescape")


def same_value(one: str, other: str) -> bool:
    """Whether a server takes both for the same: ``64M`` and ``67108864``, ``on`` and ``1``."""
    return _plain(one) == _plain(other)


def _plain(value: str) -> str | int:
    found = _NUMBER.match(value)
    if found is not None:
        return int(found[1]) << _SUFFIX.get((found[2] or "").lower(), 0)
    switch = _SWITCH.get(value.strip().lower())
    return value.strip() if switch is None else int(switch == "ON")
