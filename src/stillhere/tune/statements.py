"""The statements that carry a change out, and those that take it back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from stillhere.server.versions import ServerVersion
from stillhere.survey.origins import SettingFacts
from stillhere.tune.change import Change
from stillhere.tune.knobs import KNOBS

__all__ = ["Step", "Way", "has_persist", "option_line", "steps_for", "undo_statements"]


class Way(Enum):
    """How a value is set. The value is its name in an undo file."""

    GLOBAL = "global"
    """``SET GLOBAL``: now, until the next restart."""
    PERSIST = "persist"
    """``SET PERSIST``: now, and after restarts."""
    PERSIST_ONLY = "persist_only"
    """``SET PERSIST_ONLY``: from the next restart on."""
    RESTART = "restart"
    """By the option file alone, from the next restart on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One setting's way.

    Attributes:
        name: the variable.
        before: its global value.
        after: what it shall be.
        way: how.
        persisted: what ``mysqld-auto.cnf`` holds now; ``None`` for nothing.
    """

    name: str
    before: str
    after: str
    way: Way
    persisted: str | None = None

    @property
    def statement(self) -> str:
        """What sets it; empty where only a restart does."""
        verb = {Way.GLOBAL: "GLOBAL", Way.PERSIST: "PERSIST", Way.PERSIST_ONLY: "PERSIST_ONLY"}.get(self.way)
        return f"SET {verb} {self.name} = {self.after}" if verb else ""


def has_persist(version: ServerVersion) -> bool:
    """Whether the server has SET PERSIST. MariaDB has none: only an option file outlives a restart there."""
    return version.at_least(mysql=(8, 0), mariadb=None)


def steps_for(change: Change, version: ServerVersion, facts: SettingFacts | None, *, in_file: bool) -> Step:
    """How a change is made.

    Args:
        change: what is to be changed.
        version: the server's.
        facts: where its value comes from.
        in_file: whether an option file carries it over restarts.
    """
    static = KNOBS.get(change.name).static
    persisted = facts.persisted if facts is not None else None
    # mysqld-auto.cnf is read after every option file: what it holds would win at the next start.
    persist = has_persist(version) and (not in_file or persisted is not None)
    ways = {
        (True, True): Way.PERSIST_ONLY,
        (True, False): Way.RESTART,
        (False, True): Way.PERSIST,
        (False, False): Way.GLOBAL,
    }
    way = ways[static, persist]
    return Step(name=change.name, before=change.before, after=change.after, way=way, persisted=persisted)


def undo_statements(step: Step) -> tuple[str, ...]:
    """What takes a step back."""
    if step.way is Way.RESTART:
        return ()
    found = []
    if step.way is not Way.GLOBAL:
        verb = "PERSIST_ONLY" if step.way is Way.PERSIST_ONLY else "PERSIST"
        kept = f"SET {verb} {step.name} = {step.persisted}"
        found.append(f"RESET PERSIST IF EXISTS {step.name}" if step.persisted is None else kept)
    if step.way is not Way.PERSIST_ONLY:
        found.append(f"SET GLOBAL {step.name} = {step.before}")
    return tuple(found)


def option_line(change: Change) -> str:
    """The line for an option file's ``[mysqld]`` group."""
    return f"{change.name} = {change.after}"
