"""The troubles of a run: connections cut at seeded packets, KILLs, restarts and crashes.

What is decided by the seed alone: for the n-th connection of the wire, at which of its commands it is cut, when
around that command, and how; the order, the distances and the victims' places of KILLs, restarts and crashes.
What is not: which client's operation a connection serves, since threads take connections from the pool in
whatever order the machine runs them.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pymysql

from stillhere.errors import LabError
from stillhere.lab.check.history import Cut, Outage
from stillhere.lab.servers import Server
from stillhere.lab.wire import ArmedCut, By, Command, When, Wire
from stillhere.lab.wire import Cut as Order

__all__ = ["Cutter", "Mix", "PlannedCut", "Wrecker", "planned"]

_OPERATION = re.compile(rb"op-\d+-\d+")
_SETTLED = 0.3  # seconds in which a server's end reaches all clients


@dataclass(frozen=True)
class Mix:
    """How much of which trouble.

    Attributes:
        commands: a connection is cut after so many commands, on average; 0 for no cuts.
        ghosts: the share of cuts that leave the server's side open.
        kills: KILLs a second, on average.
        outage_every: seconds from one restart or crash to the next, on average; 0 for none.
    """

    commands: float = 30.0
    ghosts: float = 0.2
    kills: float = 1.0
    outage_every: float = 10.0


@dataclass(frozen=True)
class PlannedCut:
    """What is in store for one connection: at its n-th command, when and how."""

    number: int
    when: When
    by: By
    ghost: bool


def planned(seed: int, connection: int, mix: Mix) -> PlannedCut:
    """The cut of the wire's n-th connection; the same for the same seed."""
    dice = random.Random(f"{seed}/cut/{connection}")  # noqa: S311 - to be repeated, not to be secret
    number = 1 + int(dice.expovariate(1 / mix.commands))
    when, by = dice.choice(list(When)), dice.choice(list(By))
    return PlannedCut(number, when, by, dice.random() < mix.ghosts)


class Cutter:
    """Cuts the connections of a wire as planned, and writes down what it did.

    Attributes:
        cuts: what the wire was told, in order. Appended to by the wire's thread.
    """

    def __init__(self, wire: Wire, seed: int, mix: Mix) -> None:
        self.cuts: list[Cut] = []
        self._seed = seed
        self._mix = mix
        self._plans: dict[int, PlannedCut] = {}
        self._operations: dict[int, str] = {}
        self._command: Command | None = None
        self._verdict: tuple[When, By, bool] | None = None
        self._armed = [self._arm(wire, when, by, ghost) for when in When for by in By for ghost in (False, True)]

    @property
    def hits(self) -> int:
        """Connections that were cut."""
        return sum(armed.hits for armed in self._armed)

    def stop(self) -> None:
        """Cut no more."""
        for armed in self._armed:
            armed.disarm()

    def _arm(self, wire: Wire, when: When, by: By, ghost: bool) -> ArmedCut:
        def match(command: Command) -> bool:
            return self._decide(command) == (when, by, ghost)

        return wire.cut(Order(match, when, by, times=None, ghost=ghost))

    def _decide(self, command: Command) -> tuple[When, By, bool] | None:
        """How to cut at this command; asked by each armed cut in turn, decided once."""
        if command is not self._command:
            self._command = command
            self._verdict = self._judge(command)
        return self._verdict

    def _judge(self, command: Command) -> tuple[When, By, bool] | None:
        operation = self._operation(command)
        if not command.answered or not self._mix.commands:
            return None
        plan = self._plans.get(command.connection)
        if plan is None:
            plan = self._plans[command.connection] = planned(self._seed, command.connection, self._mix)
        if command.number != plan.number:
            return None
        del self._plans[command.connection]
        self.cuts.append(
            Cut(
                at=time.monotonic(),
                connection=command.connection,
                number=command.number,
                thread_id=command.thread_id,
                verb=command.bare.partition(" ")[0] or command.kind,
                operation=operation,
                when=plan.when.name,
                by=plan.by.name,
                ghost=plan.ghost,
            )
        )
        return plan.when, plan.by, plan.ghost

    def _operation(self, command: Command) -> str:
        """Whose command it is: its text names the operation, or an earlier one of its transaction did."""
        found = _OPERATION.search(command.body)
        if found:
            self._operations[command.connection] = found[0].decode()
            return found[0].decode()
        if command.begins("COMMIT") or command.begins("ROLLBACK"):
            return self._operations.pop(command.connection, "")
        return self._operations.get(command.connection, "")


class Wrecker(threading.Thread):
    """Ends connections and the server itself, in a seeded order, until it is told to stop.

    Args:
        server: to end.
        wire: whose connections to kill.
        seed: of all that is drawn.
        mix: how much of which trouble.
        variables: global ones, to be set again after each start.

    Attributes:
        kills: moment and thread id of each KILL.
        outages: restarts and crashes.
        failure: what ended it before its time.
    """

    def __init__(
        self, server: Server, wire: Wire, seed: int, mix: Mix, variables: Mapping[str, int | float | str]
    ) -> None:
        super().__init__(name="wrecker", daemon=True)
        self.kills: list[tuple[float, int]] = []
        self.outages: list[Outage] = []
        self.failure: BaseException | None = None
        self._server = server
        self._wire = wire
        self._dice = random.Random(f"{seed}/wrecker")  # noqa: S311 - to be repeated, not to be secret
        self._mix = mix
        self._variables = variables
        self._halt = threading.Event()
        self._admin: pymysql.Connection[Any] | None = None

    def run(self) -> None:
        """Wreck on."""
        try:
            for pause, act in self._agenda():
                if self._halt.wait(pause):
                    return
                act()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error
        finally:
            self._forget_admin()

    def stop(self) -> None:
        """Finish what is being done, and end."""
        self._halt.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    def _agenda(self) -> Iterator[tuple[float, Any]]:
        kills, every = self._mix.kills, self._mix.outage_every
        kill_in = self._dice.expovariate(kills) if kills else float("inf")
        outage_in = every * self._dice.uniform(0.5, 1.5) if every else float("inf")
        crash = bool(self._dice.getrandbits(1))
        while kill_in != outage_in:  # both are infinite where neither is wanted
            pause = min(kill_in, outage_in)
            kill_in, outage_in = kill_in - pause, outage_in - pause
            if kill_in <= 0:
                yield pause, self._kill
                kill_in = self._dice.expovariate(kills)
            else:
                yield pause, self._crash if crash else self._restart
                crash = not crash
                outage_in = every * self._dice.uniform(0.5, 1.5)

    def _kill(self) -> None:
        place = self._dice.random()
        ready = [view for view in self._wire.connections if view.ready and not view.holed]
        if not ready:
            return
        victim = ready[int(place * len(ready))].thread_id
        try:
            if self._admin is None:
                self._admin = self._server.admin()
            self.kills.append((time.monotonic(), victim))
            self._admin.cursor().execute(f"KILL CONNECTION {victim}")
        except (LabError, pymysql.err.Error):
            return  # it has gone by itself, or the server is busy

    def _crash(self) -> None:
        self._outage(crash=True)

    def _restart(self) -> None:
        self._outage(crash=False)

    def _outage(self, *, crash: bool) -> None:
        self._forget_admin()
        began = time.monotonic()
        if crash:
            self._server.crash()
        else:
            self._server.stop()
        self._server.start()
        self._server.set_global(self._variables)
        self.outages.append(Outage(began, time.monotonic() + _SETTLED, crash))

    def _forget_admin(self) -> None:
        if self._admin is not None:
            self._admin.close()
        self._admin = None
