"""One run of the check: a server, a wire, clients, troubles, and the judgement at the end."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from stillhere import events
from stillhere.errors import UnknownName
from stillhere.lab.check.chaos import Cutter, Mix, Wrecker
from stillhere.lab.check.checker import Rules, Violation, Wrong, check
from stillhere.lab.check.clients import Client, Witnesses
from stillhere.lab.check.history import Operation, Troubles
from stillhere.lab.check.models import fill, read_back
from stillhere.lab.check.report import Report
from stillhere.lab.check.workload import World, plans
from stillhere.lab.drill.arms import ARMS, DRIVERS, Arm, create_witness
from stillhere.lab.servers import Server, start_server
from stillhere.lab.wire import Wire

__all__ = ["SCHEMA", "Options", "run_check"]

SCHEMA = "bank"
_POOL: Mapping[str, Any] = {"pool_size": 3, "max_overflow": 2, "pool_timeout": 20}
_PLACES = 5
_LOOK = 0.1  # seconds
_HEAL_EVERY = 10.0  # seconds; else the open sides of idle connections fill the server, as nothing ends them
_HUNG = 30.0  # seconds that a client may take to finish its last operation
_QUIET_WITHIN = 20.0  # seconds for the server to be rid of what was cut


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        server: flavour of the server.
        arm: a name of `stillhere.lab.drill.arms.ARMS`.
        drivers: the clients take them in turn; keys of `stillhere.lab.drill.arms.DRIVERS`.
        seconds: how long.
        cuts: stop when so many connections were cut; 0 to stop by time only.
        seed: of everything that is drawn.
        clients: how many.
        options: of stillhere, by name without prefix, as in the database URL: ``{"ride_through": "5s"}``; not
            given to an arm without it.
        mix: how much of which trouble.
        world: what there is to work on.
        lock_wait: the server's ``innodb_lock_wait_timeout``, in seconds.
        stall_after: an operation that takes longer is a violation; seconds, restarts not counted.
    """

    server: str = "mariadb"
    arm: str = "stillhere"
    drivers: Sequence[str] = tuple(DRIVERS)
    seconds: float = 20.0
    cuts: int = 0
    seed: int = 1
    clients: int = 8
    options: Mapping[str, str] = field(default_factory=dict)
    mix: Mix = field(default_factory=Mix)
    world: World = field(default_factory=World)
    lock_wait: int = 3
    stall_after: float = 6.0

    @property
    def variables(self) -> dict[str, int | float | str]:
        """Global variables of the server."""
        return {"innodb_lock_wait_timeout": self.lock_wait, "max_connections": 500}


def run_check(
    options: Options, *, server: Server | None = None, progress: Callable[[str], None] | None = None
) -> Report:
    """Run the check.

    Args:
        options: what to run.
        server: one that is running, to use instead of a private one; its schema ``bank`` is made anew.
        progress: told now and then how far it is.
    """
    arm = ARMS.get(options.arm)
    for driver in options.drivers:
        if driver not in DRIVERS:
            raise UnknownName("driver", driver, tuple(DRIVERS))
    say = progress or (lambda _: None)
    with contextlib.ExitStack() as stack:
        if server is None:
            say("starting the server")
            server = stack.enter_context(start_server(options.server, variables=options.variables))
        server.execute(f"DROP DATABASE IF EXISTS {SCHEMA}")
        server.execute(f"CREATE DATABASE {SCHEMA}")
        before = server.set_global(options.variables)
        stack.callback(server.set_global, before)
        return _Run(options, arm, server, say, stack).play()


class _Run:
    """One run, from the first row to the report."""

    def __init__(
        self,
        options: Options,
        arm: Arm,
        server: Server,
        say: Callable[[str], None],
        stack: contextlib.ExitStack,
    ) -> None:
        self.options = options
        self.server = server
        self.say = say
        self.direct = make_url(server.url(database=SCHEMA))
        self.arm = arm
        own = {f"stillhere.{name}": value for name, value in options.options.items()} if "plugin" in arm.query else {}
        self.query = {**arm.query, **own}
        self._prepare()
        self.wire = stack.enter_context(Wire(server.host, server.port, plain=True))
        self.witnesses = Witnesses(f"{self.wire.host}:{self.wire.port}")
        events.listen(self.witnesses)
        stack.callback(events.unlisten, self.witnesses)
        self.engines = [create_engine(self._url(driver), **_POOL, **arm.engine) for driver in options.drivers]
        for one in self.engines:
            stack.callback(one.dispose)
        self.clients = [self._client(number) for number in range(1, options.clients + 1)]
        self.cutter = Cutter(self.wire, options.seed, options.mix)
        self.wrecker = Wrecker(server, self.wire, options.seed, options.mix, options.variables)

    def play(self) -> Report:
        """Let the clients work, stop them, and judge."""
        began = time.monotonic()
        for client in self.clients:
            client.start()
        self.wrecker.start()
        try:
            self._watch(began)
        finally:
            self.wrecker.stop()
            self.cutter.stop()
            for client in self.clients:
                client.stop()
        hung = list(self._finish())
        seconds = time.monotonic() - began
        pool = [violation for engine in self.engines for violation in _places(engine)]
        self.wire.close()
        return self._report(seconds, [*hung, *pool])

    def _prepare(self) -> None:
        world = self.options.world
        engine = create_engine(self.direct, poolclass=NullPool)
        fill(engine, world.accounts, world.balance, world.names("list"), world.names("counter"))
        if self._witnessed:
            create_witness(self.direct)

    @property
    def _witnessed(self) -> bool:
        return self.query.get("stillhere.witness") == "on"

    def _url(self, driver: str) -> URL:
        return self.direct.set(drivername=DRIVERS[driver], port=self.wire.port).update_query_dict(self.query)

    def _client(self, number: int) -> Client:
        engine = self.engines[number % len(self.engines)]
        todo = plans(self.options.seed, number, self.options.world)
        return Client(number, engine, todo, self.witnesses, insist=self.arm.insist)

    def _watch(self, began: float) -> None:
        """Until the time is over, enough was cut, or something failed that can't fail."""
        options = self.options
        healed = began
        while time.monotonic() - began < options.seconds:
            time.sleep(_LOOK)
            if time.monotonic() - healed > _HEAL_EVERY:
                healed = time.monotonic()
                self.wire.heal()
            done = sum(len(client.history) for client in self.clients)
            self.say(f"{time.monotonic() - began:.0f} s, {done} operations, {self.cutter.hits} cuts")
            if options.cuts and self.cutter.hits >= options.cuts:
                return
            for failure in (self.wrecker.failure, *(client.failure for client in self.clients)):
                if failure is not None:
                    raise failure

    def _finish(self) -> Iterator[Violation]:
        """Wait for the clients' last operations; those that don't end are violations."""
        self.say("waiting for the last operations")
        deadline = time.monotonic() + _HUNG
        for client in self.clients:
            client.join(max(0.0, deadline - time.monotonic()))
            if client.failure is not None:
                raise client.failure
            now = client.current
            if client.is_alive() and now is not None:
                says = f"{now[0].kind.value}: has not ended after {time.monotonic() - now[1]:.0f} s"
                yield Violation(Wrong.STALL, now[0].id, says)

    def _report(self, seconds: float, found: Sequence[Violation]) -> Report:
        self.say("reading back")
        _wait_quiet(self.server)
        options = self.options
        history: list[Operation] = sorted(
            (operation for client in self.clients for operation in client.history), key=lambda one: one.invoked
        )
        troubles = Troubles(tuple(self.cutter.cuts), tuple(self.wrecker.kills), tuple(self.wrecker.outages))
        rules = Rules(options.world, self._witnessed, options.stall_after)
        stored = read_back(create_engine(self.direct, poolclass=NullPool))
        return Report(
            server=options.server,
            version=str(self.server.version),
            arm=options.arm,
            drivers=tuple(options.drivers),
            options=dict(options.options),
            seed=options.seed,
            seconds=seconds,
            operations=Counter((one.kind, one.outcome) for one in history),
            errors=Counter(one.error for one in history if one.error),
            struck=self.cutter.hits,
            troubles=troubles,
            events=Counter(self.witnesses.counts),
            longest=max((one.ended - one.invoked for one in history), default=0.0),
            violations=(*check(history, stored, troubles, rules), *found),
        )


def _places(engine: Engine) -> Iterator[Violation]:
    """The pool must have all its places back, and give them out at once."""
    pool: Any = engine.pool
    out = pool.checkedout()
    if out:
        yield Violation(Wrong.POOL, "", f"{engine.driver}: {out} of {_PLACES} connections never came back")
    with contextlib.ExitStack() as stack:
        for place in range(_PLACES - out):
            try:
                connection = stack.enter_context(engine.connect())
                connection.exec_driver_sql("SELECT 1")
            except SQLAlchemyError as error:
                yield Violation(Wrong.POOL, "", f"{engine.driver}: connection {place + 1} of {_PLACES}: {error}")
                return


def _wait_quiet(server: Server) -> None:
    """Wait until nothing of the clients is left on the server, not even what their connections left behind."""
    deadline = time.monotonic() + _QUIET_WITHIN
    question = "SELECT COUNT(*) FROM information_schema.INNODB_TRX"
    while server.execute(question)[0][0] and time.monotonic() < deadline:
        time.sleep(0.15)  # less often than MySQL renews the table
