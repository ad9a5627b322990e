"""Running the drill: one server, one wire and one application for each arm, one fault after the other."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, make_url

from stillhere.events import Incident
from stillhere.lab.apps.matches.store import prepare
from stillhere.lab.drill.arms import ARMS, Application, Arm, arm_url, create_witness
from stillhere.lab.drill.check import audit, recovery_ms, stored
from stillhere.lab.drill.load import Bursts, Load, Plan
from stillhere.lab.drill.naming import naming, told
from stillhere.lab.drill.records import ArmResult, Round
from stillhere.lab.drill.service import SlowService
from stillhere.lab.faults.base import Fault, Scene, Symptom, Traffic
from stillhere.lab.faults.isolation_return import LAST_STATEMENT_MARK
from stillhere.lab.servers import Server, start_server
from stillhere.lab.wire import Wire

__all__ = ["FULL", "QUICK", "QUICK_FAULTS", "Listener", "Pace", "Program", "drill"]

_AGE = 4
_LARGER = 1.2  # a large statement, in parts of max_allowed_packet
_SETTLE = 0.15  # seconds in which a server notices that its clients are gone


@dataclass(frozen=True)
class Pace:
    """How long the parts of a round take, in seconds.

    Attributes:
        warm: load before the fault.
        after: load after it, at least.
        grace: waiting for answers under way after that.
        burst: load between two silences.
        clients: how many there are in each arm.
        period: from one request of a client to its next.
    """

    warm: float
    after: float
    grace: float
    burst: float = 0.8
    clients: int = 8
    period: float = 0.1


FULL = Pace(warm=0.8, after=2.2, grace=4.0)
QUICK = Pace(warm=0.5, after=1.2, grace=2.5)

QUICK_FAULTS = ("idle_timeout", "kill_in_flight", "crash", "commit_reply_lost", "outage", "slow_call")
"""What ``--quick`` plays."""


@dataclass(frozen=True)
class Program:
    """What to drill.

    Attributes:
        servers: flavours.
        faults: in this order.
        arms: side by side.
        driver: a key of `stillhere.lab.drill.arms.DRIVERS`.
        pace: how fast.
    """

    servers: Sequence[str]
    faults: Sequence[Fault]
    arms: Sequence[Arm] = tuple(ARMS)
    driver: str = "mysqlclient"
    pace: Pace = FULL


class Listener(Protocol):
    """Who is told how far the drill is. Called from the threads of all servers."""

    def said(self, server: str, text: str) -> None:
        """A server's round has entered another part."""

    def ended(self, found: Round) -> None:
        """A round is over."""

    def staged(self, server: str, url: str, states: Sequence[Path]) -> None:
        """A server is up, at that URL, and its applications keep what they tell of losses in those directories."""


def drill(program: Program, listener: Listener) -> list[Round]:
    """Play the whole program, its servers side by side.

    Returns:
        the rounds, by server, then in the order of the faults.
    """
    halt = threading.Event()
    theatres = [_Theatre(flavour, program, listener, halt) for flavour in program.servers]
    for theatre in theatres:
        theatre.start()
    try:
        for theatre in theatres:
            while theatre.is_alive():
                theatre.join(0.2)
                if theatre.failure:
                    halt.set()
    finally:
        halt.set()
        for theatre in theatres:
            theatre.join()
    for theatre in theatres:
        if theatre.failure is not None:
            raise theatre.failure
    return [found for theatre in theatres for found in theatre.rounds]


class _Theatre(threading.Thread):
    """One server, its applications, and the rounds that are played on them."""

    def __init__(self, flavour: str, program: Program, listener: Listener, halt: threading.Event) -> None:
        super().__init__(name=f"drill-{flavour}", daemon=True)
        self.flavour = flavour
        self.rounds: list[Round] = []
        self.failure: BaseException | None = None
        self._program = program
        self._listener = listener
        self._halt = halt

    def run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                self._play(stack)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error

    def _play(self, stack: contextlib.ExitStack) -> None:
        self._listener.said(self.flavour, "starting the server")
        server = start_server(self.flavour)
        stack.callback(server.close)
        self._listener.said(self.flavour, "starting the applications")
        service = SlowService()
        stack.callback(service.close)
        states = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stillhere-drill-")))
        stage = _Stage(self.flavour, server, service, self._program, {}, states, self._halt)
        for arm in self._program.arms:
            prepare(stage.direct(arm))
            if arm.witnessed:
                create_witness(stage.direct(arm))
            application = Application(arm, stage.address(arm), service.url, LAST_STATEMENT_MARK, states / arm.name)
            stack.callback(application.close)
            stage.applications[arm.name] = application
        explaining = [states / arm.name for arm in self._program.arms if arm.explains]
        self._listener.staged(self.flavour, server.url(user="root", password=""), explaining)
        for fault in self._program.faults:
            if self._halt.is_set():
                return
            self._listener.said(self.flavour, fault.title)
            found = stage.play(fault)
            self.rounds.append(found)
            self._listener.ended(found)


@dataclass
class _Stage:
    """What a round needs."""

    flavour: str
    server: Server
    service: SlowService
    program: Program
    applications: dict[str, Application]
    states: Path
    halt: threading.Event

    def direct(self, arm: Arm) -> URL:
        """The arm's schema, past every wire, plugin and limit."""
        return arm_url(arm, self._url()).difference_update_query(arm.query)

    def address(self, arm: Arm, wire: Wire | None = None) -> URL:
        """The arm's own URL, through its wire."""
        return arm_url(arm, self._url(wire))

    def play(self, fault: Fault) -> Round:
        """One fault, from a fresh pool in every arm to the check."""
        before = self.server.set_global(fault.variables)
        try:
            with contextlib.ExitStack() as stack:
                return self._play(fault, stack)
        finally:
            self.server.set_global(before)

    def _let_it_age(self) -> None:
        """After a start: a server's clock counts whole seconds, by which a loss is told from a second start."""
        while int(self.server.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) < _AGE and not self.halt.is_set():
            self.halt.wait(0.1)

    def _play(self, fault: Fault, stack: contextlib.ExitStack) -> Round:
        self._let_it_age()
        pace, arms = self.program.pace, self.program.arms
        wires = {arm.name: stack.enter_context(Wire(self.server.host, self.server.port)) for arm in arms}
        for arm in arms:
            self.applications[arm.name].connect_to(self.address(arm, wires[arm.name]))
        self.service.delay = fault.silence
        began, since = time.monotonic(), datetime.now(UTC)
        plan = _plan(fault, pace, began)
        loads = {arm.name: Load(self.applications[arm.name].port, plan) for arm in arms}
        for load in loads.values():
            load.start()
        self.halt.wait(pace.warm)
        struck = time.monotonic()
        try:
            fault.strike(Scene(self.server, tuple(wires.values()), self.halt))
            back = time.monotonic()
            self.halt.wait(_after(fault, pace))
        finally:
            for load in loads.values():
                load.stop()
            deadline = time.monotonic() + (0.0 if self.halt.is_set() else _grace(fault, pace))
            shots = {name: load.finish(deadline) for name, load in loads.items()}
            ended = time.monotonic()
            incidents = {} if self.halt.is_set() else self._incidents(wires, since)
            for wire in wires.values():
                wire.close()  # frees whatever still waits in the applications
        time.sleep(_SETTLE)
        quiet = plan.bursts.wait_from(back)  # nobody asks during a silence, so nobody can be answered
        results = []
        for arm in arms:
            mine = shots[arm.name]
            found = stored(self.direct(arm), plan.prefix)
            results.append(
                ArmResult(
                    arm.name,
                    audit(mine, found),
                    recovery_ms(mine, back + quiet),
                    mine,
                    naming(incidents.get(arm.name, ())),
                )
            )
        return Round(
            fault=fault.name,
            title=fault.title,
            summary=fault.summary,
            server=self.flavour,
            version=str(self.server.version),
            driver=self.program.driver,
            slow=fault.shows is Symptom.LATENCY,
            began=began,
            struck=struck,
            back=back,
            ended=ended,
            results=tuple(results),
            cause=fault.cause,
            also=fault.also,
        )

    def _incidents(self, wires: Mapping[str, Wire], since: datetime) -> dict[str, list[Incident]]:
        """What the arms that explain their losses have told, while their wires still lead to the server."""
        states = {arm.name: self.states / arm.name for arm in self.program.arms if arm.explains}
        return told(states, {name: f"{wire.host}:{wire.port}" for name, wire in wires.items()}, since)

    def _url(self, wire: Wire | None = None) -> URL:
        url = make_url(self.server.url(driver=self.program.driver))
        return url if wire is None else url.set(port=wire.port)


def _plan(fault: Fault, pace: Pace, began: float) -> Plan:
    limit = int(fault.variables.get("max_allowed_packet", 0))
    silence = fault.silence if fault.traffic is Traffic.BURSTS else 0.0
    return Plan(
        traffic=fault.traffic,
        bursts=Bursts(began, pace.burst, silence),
        clients=pace.clients,
        period=pace.period,
        prefix=f"{fault.name}-{secrets.token_hex(3)}",
        large=int(limit * _LARGER),
    )


def _grace(fault: Fault, pace: Pace) -> float:
    """How long requests under way may still take: a retried slow call takes several of them."""
    return pace.grace + (2 * fault.silence if fault.traffic is Traffic.SLOW_CALL else 0.0)


def _after(fault: Fault, pace: Pace) -> float:
    """How long the load goes on: past one whole slow call or silence that began after the fault."""
    return pace.after + fault.silence
