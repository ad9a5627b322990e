"""What a plan does to an option file: the new content, or why a line there would not help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stillhere.survey.origins import Origin, SettingFacts
from stillhere.tune.change import Change
from stillhere.tune.optionfile import OptionFile
from stillhere.tune.patch import diff, with_value
from stillhere.tune.spelling import Conventions, same_value
from stillhere.tune.tree import Reading, Setting

__all__ = ["FilePlan", "file_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What happens to an option file.

    Attributes:
        reading: the file and what it includes.
        after: its new content.
        changed: the settings whose line is new.
        diff: unified, without line ends, secrets masked.
        places: for each setting, where it is set, the winner last.
        blocked: settings that a line in this file would not decide, with the reason.
        notices: what else to know, one sentence each.
    """

    reading: Reading
    after: OptionFile
    changed: tuple[str, ...]
    diff: tuple[str, ...]
    places: Mapping[str, tuple[Setting, ...]]
    blocked: Mapping[str, str]
    notices: tuple[str, ...]


def file_plan(
    reading: Reading, changes: Iterable[Change], rules: Conventions, facts: Mapping[str, SettingFacts]
) -> FilePlan:
    """Set every change's value in the file that was given; included files are read, never written.

    Raises:
        ConfigurationError: servers can't read the file whole.
    """
    after = reading.file
    places: dict[str, tuple[Setting, ...]] = {}
    blocked: dict[str, str] = {}
    changed = []
    notices = list(reading.gaps)
    for one in changes:
        places[one.name] = reading.of(one.name)
        elsewhere = [place for place in places[one.name][-1:] if place.path != reading.path]
        if elsewhere:
            winner = elsewhere[0]
            blocked[one.name] = (
                f"{winner.path}:{winner.line} sets it to {winner.value} and is read later; give that file with --cnf"
            )
            continue
        patched = with_value(after, one.name, one.after, rules)
        if patched is not after:
            changed.append(one.name)
        after = patched
        notices += _notices(one, facts.get(one.name), reading)
    return FilePlan(
        reading=reading,
        after=after,
        changed=tuple(changed),
        diff=tuple(diff(reading.file, after, str(reading.path))),
        places=places,
        blocked=blocked,
        notices=tuple(notices),
    )


def _notices(one: Change, facts: SettingFacts | None, reading: Reading) -> list[str]:
    if facts is None:
        return []
    name = one.name
    if facts.origin is Origin.COMMAND_LINE:
        return [f"{name} stands on the server's command line, which wins over option files at the next start"]
    known = {str(path) for path in reading.paths} | {str(path.resolve()) for path in reading.paths}
    if facts.origin is Origin.FILE and facts.path and facts.path not in known:
        return [f"the server took {name} from {facts.path}, which is not among the files that were read"]
    winner = reading.of(name)[-1:]
    if facts.origin is Origin.DEFAULT and winner and not same_value(winner[0].value, one.before):
        return [
            f"the server runs with its default {name} = {one.before}: it was not started with this file as it is now"
        ]
    if facts.persisted is not None:
        return [f"mysqld-auto.cnf holds {name} = {facts.persisted} and wins over option files; it is changed as well"]
    return []
