"""``stillhere tune`` from the login to the exit code."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stillhere.cli.render import messages, results
from stillhere.cli.tuning import show
from stillhere.errors import ConfigurationError
from stillhere.survey.login import address_of, login, target
from stillhere.survey.origins import Origin, setting_facts
from stillhere.survey.take import Ask, take
from stillhere.tune.apply import (
    Rewrite,
    carry_out,
    file_back,
    global_values,
    keeping,
    persisted_values,
    take_back,
)
from stillhere.tune.change import Change
from stillhere.tune.cnf import FilePlan, file_plan
from stillhere.tune.knobs import KNOBS
from stillhere.tune.managed import SERVICES
from stillhere.tune.measure import measure
from stillhere.tune.measured import Measured, Needs
from stillhere.tune.plan import Plan, plan, wished
from stillhere.tune.rules import RULES
from stillhere.tune.spelling import conventions, same_value
from stillhere.tune.statements import Step, has_persist, steps_for
from stillhere.tune.tree import read_tree
from stillhere.tune.undo import Undo, identity, load, save, steps_back
from stillhere.tune.writing import backup_name, refusal, replace, unused

__all__ = ["Wish", "take_it_back", "tuning"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for on the command line.

    Attributes:
        settings: values asked for by name.
        needs: what only the user knows.
        cnf: the option file to be patched.
        watched: seconds to watch for.
        log: the server's error log.
        managed: a managed service's name.
        apply: whether to carry the changes out.
        yes: whether to do so without asking.
        undo_file: where to write how to take it back.
        as_json: whether to print JSON.
    """

    settings: Mapping[str, str]
    needs: Needs
    cnf: Path | None
    watched: float
    log: Path | None
    managed: str | None
    apply: bool
    yes: bool
    undo_file: Path | None
    as_json: bool


def tuning(url: str, wish: Wish) -> int:
    """Measure, plan, show, and carry out what was asked for; the exit code."""
    service = SERVICES.get(wish.managed) if wish.managed else None
    for name in wish.settings:
        KNOBS.get(name)
    with _asking(url) as (ask, address):
        measured = _measured(ask, address, wish)
        wishes = wished(measured, wish.settings)
        found = plan(measured, RULES, wishes)
        file = _file(wish.cnf, measured, found, wishes)
        found = _with_equals(found, wishes, measured, file)
        steps = _steps(found, measured, file)
        report = show.Report(measured, found, steps, file, service)
        if not wish.apply:
            show.report(report, as_json=wish.as_json)
            return int(bool(found.changes))
        return _apply(ask, report, wish)


@contextmanager
def _asking(url: str) -> Iterator[tuple[Ask, str]]:
    place = target(url)
    with login(place) as ask:
        yield ask, address_of(place)


def _measured(ask: Ask, address: str, wish: Wish) -> Measured:
    def run() -> Measured:
        return measure(
            ask, address, wish.needs, watched=wish.watched, log=wish.log, clock=time.monotonic, pause=time.sleep
        )

    if not wish.watched or wish.as_json:
        return run()
    with messages.status(f"watching sessions for {wish.watched:g} s"):
        return run()


def _file(path: Path | None, measured: Measured, found: Plan, wishes: tuple[Change, ...]) -> FilePlan | None:
    if path is None:
        return None
    rules = conventions(measured.snapshot.version, measured.snapshot.variables)
    named = {one.name: one for one in (*wishes, *found.changes)}
    return file_plan(read_tree(path.absolute(), rules), named.values(), rules, measured.facts)


def _with_equals(found: Plan, wishes: tuple[Change, ...], measured: Measured, file: FilePlan | None) -> Plan:
    """Wishes that the running server fulfils already stay where nothing would keep them over a restart."""
    kept = []
    for one in wishes:
        facts = measured.facts.get(one.name)
        fleeting = facts is not None and facts.origin is Origin.SQL and has_persist(measured.snapshot.version)
        if same_value(one.before, one.after) and (one.name in file.changed if file is not None else fleeting):
            kept.append(one)
    return Plan(changes=(*found.changes, *kept), notes=found.notes, gaps=found.gaps)


def _steps(found: Plan, measured: Measured, file: FilePlan | None) -> tuple[Step, ...]:
    blocked = file.blocked if file is not None else {}
    return tuple(
        steps_for(
            one,
            measured.snapshot.version,
            measured.facts.get(one.name),
            in_file=file is not None and one.name not in blocked,
        )
        for one in found.changes
    )


def _apply(ask: Ask, report: show.Report, wish: Wish) -> int:
    measured = report.measured
    if not report.plan.changes:
        show.report(report, as_json=wish.as_json)
        return 0
    steps = _doable(report)
    now = datetime.now(UTC)
    rewrite = _rewrite(report, now)
    undo_path = wish.undo_file or unused(Path(f"stillhere-undo-{now:%Y%m%dT%H%M%SZ}.json"))
    if not wish.as_json:
        show.report(report, as_json=False)
        show.intent(steps, rewrite, undo_path)
        if not _agreed(wish.yes):
            results.print("nothing was changed")
            return 1
    save(
        Undo(
            address=measured.snapshot.address,
            identity=identity(measured.snapshot),
            written=now,
            steps=steps,
            file=rewrite.record if rewrite is not None else None,
        ),
        undo_path,
    )
    carry_out(ask, steps, rewrite, (lambda _: None) if wish.as_json else show.did)
    after = take(ask, measured.snapshot.address, transactions=False)
    show.outcome(
        report,
        show.Outcome(
            values={step.name: after.variables.get(step.name, "") for step in steps},
            keeping=keeping(measured.snapshot.sessions or (), after.sessions or ()),
            partial="sessions" in measured.gaps,
            undo=undo_path,
            done=frozenset(step.name for step in steps),
        ),
        as_json=wish.as_json,
    )
    return int(len(steps) < len(report.steps))


def _doable(report: show.Report) -> tuple[Step, ...]:
    """The steps that a statement or the option file carries out.

    Raises:
        ConfigurationError: there is none.
    """
    written = report.file.changed if report.file is not None else ()
    steps = tuple(step for step in report.steps if step.statement or step.name in written)
    if not steps:
        names = ", ".join(step.name for step in report.steps)
        raise ConfigurationError(f"{names} can only be set in an option file that the server reads; give it with --cnf")
    return steps


def _rewrite(report: show.Report, now: datetime) -> Rewrite | None:
    file = report.file
    if file is None or not file.changed:
        return None
    reason = refusal(file.reading.path)
    if reason is not None:
        raise ConfigurationError(reason)
    return Rewrite(
        path=file.reading.path,
        backup=backup_name(file.reading.path, now),
        before=bytes(file.reading.file),
        after=bytes(file.after),
    )


def _agreed(yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked; add --yes")
    messages.print("Carry this out? \\[y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def take_it_back(url: str, path: Path, *, yes: bool, as_json: bool) -> int:
    """Take a change back; the exit code, 1 where something was left alone."""
    undo = load(path)
    with _asking(url) as (ask, address):
        before = take(ask, address, transactions=False)
        if identity(before) != undo.identity:
            raise ConfigurationError(
                f"{path} is of another server ({undo.address}, {undo.identity}) than the one at {address}"
            )
        names = [step.name for step in undo.steps]
        facts = setting_facts(ask, before, names) if has_persist(before.version) else {}
        backs = steps_back(undo, before.variables, persisted_values(facts, names))
        rewrite, kept = file_back(undo.file) if undo.file is not None else (None, "")
        left = [f"{back.step.name}: {back.left_alone}" for back in backs if back.left_alone] + ([kept] if kept else [])
        todo = any(back.statements for back in backs) or rewrite is not None
        if not as_json:
            show.undo_intent(backs, rewrite, left, todo=todo)
        if todo:
            if as_json and not yes:
                raise ConfigurationError("--undo --json can't ask; add --yes")
            if not _agreed(yes):
                results.print("nothing was changed")
                return 1
            tell = (lambda _: None) if as_json else show.did
            take_back(ask, backs, tell)
            if rewrite is not None:
                replace(rewrite.path, rewrite.before, rewrite.after, None)
                tell(f"wrote {rewrite.path} from {rewrite.backup}")
        values = global_values(ask, names) if names else {}
        after = take(ask, address, transactions=False)
        stay = keeping(before.sessions or (), after.sessions or ()) if todo else ()
        if as_json:
            results.print_json(
                json.dumps({"undone": todo, "left_alone": left, "values": values, "keeping": dict(stay)})
            )
        else:
            show.undone(backs, values, stay)
        return int(bool(left))
