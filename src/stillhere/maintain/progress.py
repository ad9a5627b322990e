"""How far a run came: written down after every turn, so that the next run goes on from there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from stillhere.errors import ConfigurationError

__all__ = ["Progress", "Turn", "TurnState", "load", "save"]

_FORMAT = "stillhere maintain 1"
_LONGEST = timedelta(days=7)


class TurnState(Enum):
    """What became of a statement."""

    PENDING = "pending"
    RUNNING = "running"
    """Begun. Where a file says so and nobody runs it, the run was cut off: whether it was finished isn't known."""
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Ended by the guard or by Ctrl-C before it was done."""
    SKIPPED = "skipped"
    """The answer was no."""


_NEXT = {
    TurnState.PENDING: {TurnState.RUNNING, TurnState.SKIPPED},
    TurnState.RUNNING: {TurnState.RUNNING, TurnState.DONE, TurnState.FAILED, TurnState.STOPPED},
    TurnState.FAILED: {TurnState.RUNNING, TurnState.SKIPPED},
    TurnState.STOPPED: {TurnState.RUNNING, TurnState.SKIPPED},
    TurnState.SKIPPED: {TurnState.RUNNING, TurnState.SKIPPED},
    TurnState.DONE: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One statement's way.

    Attributes:
        state: where it stands.
        detail: why it failed or was stopped; what the server said to it.
        seconds: how long it took.
    """

    state: TurnState = TurnState.PENDING
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One run.

    Attributes:
        address: the server's.
        identity: what tells it from another one at the same address.
        begun: when, by the server's clock, UTC.
        turns: by statement, in order.
    """

    address: str
    identity: str
    begun: datetime
    turns: Mapping[str, Turn]

    def over(self, now: datetime) -> bool:
        """Whether the next run begins anew: nothing is left, or it is a week old and what was done may be due again."""
        return now - self.begun > _LONGEST or all(turn.state is TurnState.DONE for turn in self.turns.values())

    def of(self, statement: str) -> Turn:
        """Where a statement stands; pending where nothing is known of it."""
        return self.turns.get(statement, Turn())

    def move(self, statement: str, state: TurnState, *, detail: str = "", seconds: float = 0.0) -> Progress:
        """The same with one statement moved on.

        Raises:
            ValueError: there is no way from where it stands.
        """
        before = self.of(statement).state
        if state not in _NEXT[before]:
            raise ValueError(f"{statement}: no way from {before.value} to {state.value}")
        turns = dict(self.turns) | {statement: Turn(state=state, detail=detail, seconds=seconds)}
        return replace(self, turns=turns)


def save(progress: Progress, path: Path) -> None:
    """Write it down, as a whole.

    Raises:
        ConfigurationError: it can't be written.
    """
    content = {
        "format": _FORMAT,
        "address": progress.address,
        "identity": progress.identity,
        "begun": progress.begun.isoformat(),
        "statements": [
            {"statement": statement, "state": turn.state.value, "detail": turn.detail, "seconds": turn.seconds}
            for statement, turn in progress.turns.items()
        ],
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigurationError(f"the state file {path} can't be written: {error.strerror}") from error


def load(path: Path) -> Progress | None:
    """What was written down; ``None`` where there is no file.

    Raises:
        ConfigurationError: it can't be read, or is no state file.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"the state file {path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no state file of stillhere maintain") from error
    try:
        if found["format"] != _FORMAT:
            raise ConfigurationError(f"{path} has the format {found['format']!r}, this version reads {_FORMAT!r}")
        return Progress(
            address=str(found["address"]),
            identity=str(found["identity"]),
            begun=datetime.fromisoformat(found["begun"]),
            turns={
                str(line["statement"]): Turn(
                    state=TurnState(line["state"]), detail=str(line["detail"]), seconds=float(line["seconds"])
                )
                for line in found["statements"]
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} is no whole state file of stillhere maintain") from error
