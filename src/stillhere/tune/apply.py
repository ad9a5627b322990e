"""Carrying a change out, all of it or none, and taking it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stillhere.errors import ConfigurationError
from stillhere.survey.snapshot import Session
from stillhere.survey.take import Ask, NotAllowed
from stillhere.tune.knobs import KNOBS
from stillhere.tune.spelling import same_value
from stillhere.tune.statements import Step, Way, undo_statements
from stillhere.tune.undo import Back, FileChange
from stillhere.tune.writing import digest, replace

__all__ = ["Rewrite", "carry_out", "file_back", "global_values", "keeping", "persisted_values", "take_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A new content for an option file."""

    path: Path
    backup: Path
    before: bytes
    after: bytes

    @property
    def record(self) -> FileChange:
        """It as it stands in an undo file."""
        return FileChange(
            path=str(self.path), backup=str(self.backup), before=digest(self.before), after=digest(self.after)
        )


def carry_out(ask: Ask, steps: Iterable[Step], rewrite: Rewrite | None, tell: Callable[[str], None]) -> None:
    """Set every setting, then write the file; when one fails, what was done is taken back.

    Args:
        ask: runs a statement.
        steps: in order.
        rewrite: the option file's new content; ``None`` for none.
        tell: is told each statement that was carried out.

    Raises:
        ConfigurationError: the server or the file refused; everything is as it was.
    """
    done: list[Step] = []
    try:
        for step in steps:
            if step.statement:
                done.append(step)  # before: a refused SET PERSIST may have reached the file
                ask(step.statement)
                tell(step.statement)
                _verify(ask, step)
        if rewrite is not None:
            replace(rewrite.path, rewrite.before, rewrite.after, rewrite.backup)
            tell(f"wrote {rewrite.path}, its former content is {rewrite.backup}")
    except Exception as error:
        left = [line for step in reversed(done) for line in _revert(ask, step)]
        state = f"; could not be taken back: {'; '.join(left)}" if left else "; everything is as it was"
        if isinstance(error, ConfigurationError | NotAllowed):
            raise ConfigurationError(f"{error}{state}") from error
        text = error.args[-1] if error.args else type(error).__name__
        raise ConfigurationError(f"the server refused: {text}{state}") from error


def _verify(ask: Ask, step: Step) -> None:
    if step.way is Way.PERSIST_ONLY:
        return
    found = global_values(ask, [step.name])[step.name]
    if not same_value(found, step.after):
        raise ConfigurationError(f"the server made {found} of {step.name} = {step.after}")


def _revert(ask: Ask, step: Step) -> list[str]:
    left = []
    for statement in undo_statements(step):
        try:
            ask(statement)
        except Exception:  # noqa: BLE001 - the first error is the one to be told; what is left is listed with it
            left.append(statement)
    return [] if not left or same_value(global_values(ask, [step.name])[step.name], step.before) else left


def take_back(ask: Ask, backs: Iterable[Back], tell: Callable[[str], None]) -> None:
    """Run what takes the steps back.

    Raises:
        Exception: the server's own; what came before it stays taken back, and the undo file is good for the rest.
    """
    for back in backs:
        for statement in back.statements:
            ask(statement)
            tell(statement)


def file_back(change: FileChange) -> tuple[Rewrite | None, str]:
    """How the option file gets its former content back: what to write, or why nothing is written.

    The reason is empty where the file has it already.
    """
    path, backup = Path(change.path), Path(change.backup)
    try:
        now, former = path.read_bytes(), backup.read_bytes()
    except OSError as error:
        return None, f"{error.filename}: {error.strerror}"
    if digest(now) == change.before:
        return None, ""
    if digest(now) != change.after:
        return None, f"{path} was changed since; its former content is {backup}"
    if digest(former) != change.before:
        return None, f"{backup} is not what was saved"
    return Rewrite(path=path, backup=backup, before=now, after=former), ""


def global_values(ask: Ask, names: Iterable[str]) -> dict[str, str]:
    """Settings' present global values."""
    listed = ", ".join(f"'{KNOBS.get(name).name}'" for name in names)
    rows = ask(f"SHOW GLOBAL VARIABLES WHERE variable_name IN ({listed})")
    return {str(row["variable_name"]).lower(): str(row["value"]) for row in rows}


def persisted_values(facts: Mapping[str, object], names: Iterable[str]) -> dict[str, str | None]:
    """What ``mysqld-auto.cnf`` holds of these settings."""
    return {name: getattr(facts.get(name), "persisted", None) for name in names}


def keeping(before: Iterable[Session], now: Iterable[Session]) -> tuple[tuple[str, int], ...]:
    """Sessions that logged in before a change and are there still, by user: they keep the old value."""
    older = {session.id for session in before}
    served = ("system user", "event_scheduler")
    counts = Counter(one.user for one in now if one.id in older and one.user not in served)
    return tuple(counts.most_common())
