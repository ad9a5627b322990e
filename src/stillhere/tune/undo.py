"""The undo file: written before a change, read to take it back. It holds settings and digests, never a file's content.

A step back is made only from where the change led to: what somebody changed since is left alone and told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stillhere.errors import ConfigurationError
from stillhere.survey.snapshot import Snapshot
from stillhere.tune.knobs import KNOBS
from stillhere.tune.spelling import same_value
from stillhere.tune.statements import Step, Way, undo_statements

__all__ = ["Back", "FileChange", "Undo", "identity", "load", "save", "steps_back"]

_FORMAT = "stillhere tune undo 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What happens to an option file.

    Attributes:
        path: the file.
        backup: where its former content lies.
        before: the SHA-256 digest of its former content.
        after: that of the new one.
    """

    path: str
    backup: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """One change, as it can be taken back.

    Attributes:
        address: the server's.
        identity: what tells it from another one at the same address.
        written: when, in UTC.
        steps: the settings.
        file: the option file; ``None`` for none.
    """

    address: str
    identity: str
    written: datetime
    steps: tuple[Step, ...]
    file: FileChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What taking one step back means now.

    Attributes:
        step: the step.
        now: the present global value.
        statements: what takes it back; empty where there is nothing to do, or where it is left alone.
        left_alone: why it is left alone; empty where it isn't.
    """

    step: Step
    now: str
    statements: tuple[str, ...] = ()
    left_alone: str = ""


def identity(snapshot: Snapshot) -> str:
    """What tells a server from another one: its UUID, on MariaDB its host and data directory."""
    variables = snapshot.variables
    return variables.get("server_uuid") or f"{variables.get('hostname', '')}:{variables.get('datadir', '')}"


def steps_back(undo: Undo, values: Mapping[str, str], persisted: Mapping[str, str | None]) -> tuple[Back, ...]:
    """What is to be done, setting by setting, the last one first.

    Args:
        undo: the change.
        values: the settings' present global values.
        persisted: what ``mysqld-auto.cnf`` holds of them.
    """
    return tuple(_back(step, values.get(step.name, ""), persisted.get(step.name)) for step in reversed(undo.steps))


def _back(step: Step, now: str, persisted: str | None) -> Back:
    lives = step.way in {Way.GLOBAL, Way.PERSIST}
    kept = step.way in {Way.PERSIST, Way.PERSIST_ONLY}
    value_is_back = not lives or same_value(now, step.before)
    file_is_back = not kept or persisted == step.persisted
    if value_is_back and file_is_back:
        return Back(step=step, now=now)
    if not value_is_back and not same_value(now, step.after):
        return Back(step=step, now=now, left_alone=f"it is {now} now, neither {step.before} nor {step.after}")
    if not file_is_back and persisted is not None and not same_value(persisted, step.after):
        return Back(step=step, now=now, left_alone=f"somebody persisted {persisted} since")
    return Back(step=step, now=now, statements=undo_statements(step))


def save(undo: Undo, path: Path) -> None:
    """Write the undo file, readable for its owner only; one that is there already is refused.

    Raises:
        ConfigurationError: it can't be written.
    """
    content = {
        "format": _FORMAT,
        "address": undo.address,
        "identity": undo.identity,
        "written": undo.written.isoformat(),
        "settings": [
            {
                "name": step.name,
                "before": step.before,
                "after": step.after,
                "way": step.way.value,
                "persisted": step.persisted,
            }
            for step in undo.steps
        ],
        "file": None
        if undo.file is None
        else {
            "path": undo.file.path,
            "backup": undo.file.backup,
            "before": undo.file.before,
            "after": undo.file.after,
        },
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=1)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise ConfigurationError(
            f"the undo file {path} can't be written: {error.strerror}; nothing was changed"
        ) from error


def load(path: Path) -> Undo:
    """Read an undo file.

    Raises:
        ConfigurationError: it can't be read, or is no undo file.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"the undo file {path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no undo file of stillhere tune") from error
    try:
        if found["format"] != _FORMAT:
            raise ConfigurationError(f"{path} has the format {found['format']!r}, this version reads {_FORMAT!r}")
        return Undo(
            address=str(found["address"]),
            identity=str(found["identity"]),
            written=datetime.fromisoformat(found["written"]),
            steps=tuple(_step(line) for line in found["settings"]),
            file=None if found["file"] is None else FileChange(**{key: str(found["file"][key]) for key in _FILE}),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} is no whole undo file of stillhere tune") from error


_FILE = ("path", "backup", "before", "after")


def _step(line: Mapping[str, Any]) -> Step:
    for value in (line["before"], line["after"], line["persisted"] or "0"):
        # They become part of a statement: nothing but a number or a word.
        if not str(value).isalnum():
            raise ValueError(value)
    return Step(
        name=KNOBS.get(str(line["name"])).name,
        before=str(line["before"]),
        after=str(line["after"]),
        way=Way(line["way"]),
        persisted=None if line["persisted"] is None else str(line["persisted"]),
    )
