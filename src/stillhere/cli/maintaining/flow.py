"""``stillhere maintain`` from the login to the exit code."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillhere.cli.maintaining import show
from stillhere.cli.render import messages
from stillhere.errors import ConfigurationError
from stillhere.maintain.eye import ServerEye
from stillhere.maintain.guard import Limits, Load
from stillhere.maintain.inventory import Inventory, Thresholds
from stillhere.maintain.look import look
from stillhere.maintain.plan import Plan, plan
from stillhere.maintain.progress import Progress, TurnState, load, save
from stillhere.maintain.step import Kind, Step
from stillhere.maintain.work import Ended, carry_out
from stillhere.survey.login import address_of, login, target
from stillhere.survey.take import Ask

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Wish", "planning", "running"]

_DAY = 86400.0  # how long one statement may take: a driver's limit for an answer must not cut it off
_LOOK = 60.0  # information_schema opens every table


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for on the command line.

    Attributes:
        kinds: the kinds of maintenance.
        thresholds: from where on something is worth doing.
        limits: past which a run stops.
        log: the server's error log.
        state: the state file; ``None`` for one named after the server.
        yes: whether to run without asking.
        as_json: whether to print JSON.
    """

    kinds: tuple[Kind, ...]
    thresholds: Thresholds
    limits: Limits
    log: Path | None
    state: Path | None
    yes: bool
    as_json: bool


def planning(url: str, wish: Wish) -> int:
    """Show what is worth doing; the exit code."""
    place = target(url)
    with login(place, timeout=_LOOK) as ask:
        inventory, found = _found(ask, place, wish)
    show.report(inventory, found, as_json=wish.as_json)
    return int(bool(found.steps or found.advice))


def running(url: str, wish: Wish) -> int:
    """Run the steps; the exit code."""
    place = target(url)
    with login(place, timeout=_DAY) as ask, login(place, timeout=_LOOK) as second:
        inventory, found = _found(second, place, wish)
        if not wish.as_json:
            show.report(inventory, found, as_json=False)
        path = wish.state or _state_file(address_of(place))
        progress = _begun(path, inventory)
        worker = int(ask("SELECT CONNECTION_ID() AS id")[0]["id"])
        ask(f"SET SESSION lock_wait_timeout = {wish.limits.lock_wait}")
        if inventory.snapshot.mariadb:
            ask("SET SESSION max_statement_time = 0")
        run = _Run(ask, ServerEye(second, inventory.snapshot, worker), path, progress, wish)
        for number, step in enumerate(found.steps, 1):
            if not run.turn(step, f"{number}/{len(found.steps)}"):
                break
        show.outcome(found, run.progress, path, as_json=wish.as_json, gap=run.eye.gap)
        done = all(run.progress.of(step.statement).state is TurnState.DONE for step in found.steps)
        return int(not done)


def _found(ask: Ask, place: URL, wish: Wish) -> tuple[Inventory, Plan]:
    inventory = look(ask, address_of(place), wish.thresholds, schema=place.database or "", log=wish.log)
    return inventory, plan(inventory, wish.kinds)


def _state_file(address: str) -> Path:
    name = re.sub(r"[^\w.-]+", "-", address).strip("-")
    return Path(f"stillhere-maintain-{name}.json")


def _begun(path: Path, inventory: Inventory) -> Progress:
    """The run that the state file tells of; a new one where there is none, or where that is over."""
    variables = inventory.snapshot.variables
    identity = variables.get("server_uuid") or f"{variables.get('hostname', '')}:{variables.get('datadir', '')}"
    now = inventory.snapshot.taken_at
    new = Progress(address=inventory.snapshot.address, identity=identity, begun=now, turns={})
    former = load(path)
    if former is None or former.over(now):
        return new
    if former.identity != identity:
        raise ConfigurationError(f"{path} is of another server ({former.address}); name another file with --state")
    return former


class _Run:
    """One run over the steps.

    Attributes:
        progress: how far it came.
        eye: looks at the load.
    """

    def __init__(self, ask: Ask, eye: ServerEye, path: Path, progress: Progress, wish: Wish) -> None:
        self.progress = progress
        self.eye = eye
        self._ask = ask
        self._path = path
        self._wish = wish

    def turn(self, step: Step, number: str) -> bool:
        """Take one step; whether to go on with the next."""
        before = self.progress.of(step.statement)
        quiet = self._wish.as_json
        if before.state is TurnState.DONE:
            show.already(step, number, quiet=quiet)
            return True
        if not quiet:
            show.before(step, number, before)
        if not self._wish.yes and not _agreed():
            self._move(step, TurnState.SKIPPED)
            return True
        self._move(step, TurnState.RUNNING)
        start = time.monotonic()
        try:
            ended = self._carried(step, number)
        except KeyboardInterrupt:
            self._move(step, TurnState.STOPPED, detail="interrupted", seconds=time.monotonic() - start)
            raise
        self._move(step, ended.state, detail=ended.detail, seconds=time.monotonic() - start)
        show.after(step, ended, time.monotonic() - start, quiet=quiet)
        return ended.state is not TurnState.STOPPED

    def _carried(self, step: Step, number: str) -> Ended:
        def run(tell: object) -> Ended:
            return carry_out(step.statement, step.table, self._ask, self.eye, self._wish.limits, tell)  # type: ignore[arg-type]

        if self._wish.as_json:
            return run(lambda _seconds, _load: None)
        with messages.status(f"{number} {step.table}") as status:

            def tell(seconds: float, load: Load) -> None:
                lag = "" if load.lag is None else f", {load.lag:.0f} s behind"
                status.update(f"{number} {step.table}: {seconds:.0f} s, {load.running} threads running{lag}")

            return run(tell)

    def _move(self, step: Step, state: TurnState, *, detail: str = "", seconds: float = 0.0) -> None:
        self.progress = self.progress.move(step.statement, state, detail=detail, seconds=round(seconds, 1))
        save(self.progress, self._path)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked; add --yes")
    messages.print("Run it? \\[y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
