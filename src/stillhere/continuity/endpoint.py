"""What all logical connections of one engine share: driver, policy, gate, ghosts and suspects."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from stillhere import events
from stillhere.causes.observations import PoolSettings
from stillhere.continuity import forks, visits, watchdog
from stillhere.continuity.dossier import Dossier, dossier_of
from stillhere.continuity.facts import UNKNOWN_FACTS, Facts, learn, restarted_between
from stillhere.continuity.fence import Ghost, fence
from stillhere.continuity.gate import Gate, GateFull, GateTimeout, gate_for
from stillhere.continuity.inquiry import INQUIRY, load_rules
from stillhere.continuity.link import Link
from stillhere.continuity.recovery import lay_ghosts
from stillhere.continuity.slot import build
from stillhere.continuity.witness import Witness
from stillhere.drivers.base import set_peer_detection
from stillhere.errors import CallError, ConfigurationError, ServerUnavailable, for_driver
from stillhere.server.errorcodes import waitable_at_connect

if TYPE_CHECKING:
    from stillhere.drivers.base import Driver
    from stillhere.policy import Policy

__all__ = ["Endpoint"]

_MAX_SUSPECTS = 1024
_LAYING = 2.0
_SUSPICION = 600.0
# The client library's own numbers for a connection that could not be made: refused, unreachable, no answer.
_UNREACHABLE = frozenset({2002, 2003, 2013})


@dataclass(slots=True, weakref_slot=True)
class Endpoint:
    """One address, reached with one driver under one policy.

    Attributes:
        driver: the PEP 249 driver.
        policy: how far to go.
        name: the address as text, without credentials.
        gate: who may reconnect now; shared by every endpoint of this address in the process.
        dossier: what the process knows of the address; shared likewise.
        witness: the witness table; None where the policy wants none, and until the first connection told its schema.
        pool: the application's pool, as far as it is known.
    """

    driver: Driver
    policy: Policy
    name: str
    gate: Gate = field(init=False)
    witness: Witness | None = None
    dossier: Dossier = field(init=False)
    pool: PoolSettings = field(default_factory=PoolSettings)
    _ghosts: tuple[Ghost, ...] = ()
    _suspects: dict[bytes, tuple[int, float]] = field(default_factory=dict)
    _latest: Facts = UNKNOWN_FACTS
    _life: int = 0
    # Guards the four above: two threads that change one at once must not undo each other, and a restart is counted
    # once.
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Held by the thread that lays ghosts: others would ask the server the same, and on MySQL delay its answer (see
    # `fence`). Not longer than `_LAYING`, since its holder may hang on a connection of its own.
    _laying: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate = gate_for(self.name)
        self.gate.on_wait = visits.note_wait
        self.dossier = dossier_of(self.name)
        if not self.policy.incidents:
            load_rules()

    @property
    def own_kills(self) -> int:
        """How many KILLs the fences of this process have sent to the address."""
        return self.dossier.own_kills

    @property
    def latest(self) -> Facts:
        """What was learned of the server by the connection that was opened last."""
        return self._latest

    def error(self, kind: type[CallError], message: str) -> CallError:
        """An exception that is of the driver's class as well."""
        return for_driver(kind, self.driver.dbapi)(message)

    def open(self, chain: Callable[[], Any], target: Any, deadline: float) -> tuple[Any, Facts]:
        """Open a physical connection through the gate.

        Args:
            chain: the user's whole connect chain.
            target: the logical connection to re-open in place; None for a new one.
            deadline: until when to wait for the server, on the monotonic clock.

        Raises:
            ServerUnavailable: the deadline passed, or too many were waiting already.
            Exception: whatever the chain raises that waiting can't mend.
        """
        started = time.monotonic()
        latest = self._latest

        def attempt() -> tuple[Any, Facts]:
            if target is not None:
                # An attempt that failed half-way may have left it open, and an open one is not built into.
                self.driver.discard(target)
            began = time.monotonic()
            connection = build(self.driver, chain, target)
            try:
                return connection, self._settle_in(connection, began)
            except BaseException:
                self.driver.discard(connection)
                raise

        with visits.Visit(self, chain, latest) as visit:
            try:
                opened = self.gate.connect(
                    attempt,
                    deadline=deadline,
                    waitable=visit.noting(self._waitable),
                    max_waiting=self.policy.max_waiting,
                )
            except (GateTimeout, GateFull) as refusal:
                seconds = time.monotonic() - started
                events.emit(events.Wait(server=self.name, seconds=seconds, served=False))
                raise self._unavailable(refusal, seconds) from refusal.last_error
            self._note(opened[1])
            visit.served(opened[1])
        seconds = time.monotonic() - started
        if seconds > 1.0:
            events.emit(events.Wait(server=self.name, seconds=seconds, served=True))
        return opened

    def open_aside(self, chain: Callable[[], Any]) -> Any:
        """Open a connection past the gate, for a question about another; the caller closes it.

        Raises:
            Exception: the driver's own, at once.
        """
        return build(self.driver, chain)

    def unreachable(self, error: BaseException) -> bool:
        """Whether a failed attempt to connect says that the network or the server is not there."""
        return self.driver.errno(error) in _UNREACHABLE

    def connect(self, chain: Callable[[], Any]) -> Any:
        """A new logical connection, open, with no ghost in its way."""
        deadline = time.monotonic() + self.policy.ride_through
        while True:
            link = Link(self, chain)
            connection, facts = self.open(chain, None, deadline)
            link.ledger.set_autocommit(bool(connection.get_autocommit()))
            link.attached(connection, facts)
            if lay_ghosts(link, connection):
                break
            if time.monotonic() >= deadline:
                raise self.error(ServerUnavailable, f"{self.name}: each new connection is lost again at once")
        connection._stillhere = link  # noqa: SLF001 - ours
        forks.remember(connection, link)
        if self.policy.detect_within:
            watchdog.ensure_running()
        if self.policy.incidents:
            INQUIRY.expect(self, chain)
        return connection

    def add_ghost(self, ghost: Ghost) -> None:
        """A lost connection left this on the server."""
        with self._lock:
            self._ghosts = (*self._ghosts, ghost)

    @property
    def haunted(self) -> bool:
        """Whether a ghost may still hold what others wait for."""
        return bool(self._ghosts)

    def lay_ghosts(self, connection: Any, facts: Facts, deadline: float, *, prove: bool = False) -> bool:
        """Be rid of what lost connections left behind; whether all their locks are known to be released.

        A ghost stays on the list until it is gone, so that two threads may wait for one, and neither goes on before.

        Args:
            connection: a physical one on which no transaction is open; without autocommit one may be afterwards.
            facts: what was learned of it.
            deadline: when to stop waiting, on the monotonic clock.
            prove: whether to find out that the locks are released where that takes time.
        """
        held = self._laying.acquire(timeout=max(0.0, min(deadline - time.monotonic(), _LAYING)))
        released = True
        try:
            for ghost in self._ghosts:
                done = fence(
                    self.driver,
                    connection,
                    facts,
                    ghost,
                    deadline=deadline,
                    on_kill=self.dossier.note_own_kill,
                    prove=prove,
                )
                released = released and done
                with self._lock:
                    self._ghosts = tuple(other for other in self._ghosts if other is not ghost)
        finally:
            if held:
                self._laying.release()
        return released

    def suspect(self, sql: bytes) -> bool:
        """The statement was in flight when the server crashed; whether it was at another crash as well.

        Several connections may have had it in flight at one crash, which is one crash. Suspicion ends after
        ten minutes.
        """
        key, now = blake2b(sql, digest_size=16).digest(), time.monotonic()
        with self._lock:
            if len(self._suspects) >= _MAX_SUSPECTS:
                self._suspects.clear()
            life, since = self._suspects.get(key, (self._life, now))
            if now - since > _SUSPICION:
                life, since = self._life, now
            self._suspects[key] = (life, since)
            return life != self._life

    def _note(self, facts: Facts) -> None:
        """Count the server's lives, as its connections tell of them."""
        with self._lock:
            self._life += restarted_between(self._latest, facts) is True
            self._latest = facts
        self.dossier.note_opened(facts)

    def forked(self) -> None:
        """In the child of a fork: the parent's locks may be held by a thread that doesn't exist here."""
        self._lock = threading.Lock()
        self._laying = threading.Lock()

    def _settle_in(self, connection: Any, began: float) -> Facts:
        descriptor = self.driver.descriptor(connection)
        if descriptor >= 0 and self.policy.detect_within:
            set_peer_detection(descriptor, self.policy.detect_within)
        facts = replace(learn(self.driver, connection, began), own_kills=self.own_kills)
        if self.policy.witness and self.witness is None:
            self.witness = self._find_witness(connection)
        if not connection._stillhere_base.get_autocommit(connection):  # noqa: SLF001 - ours
            # The question may have begun a transaction, whose snapshot would be older than the application's.
            self.driver.fetch(connection, b"ROLLBACK")
        return facts

    def _find_witness(self, connection: Any) -> Witness:
        schema = self.driver.fetch(connection, b"SELECT DATABASE()")[0][0]
        if not schema:
            raise ConfigurationError(
                "witness=on needs a default database in the URL: the witness stands in the data's schema"
            )
        witness = Witness(schema.decode() if isinstance(schema, bytes) else str(schema))
        witness.check(self.driver, connection)
        return witness

    def _waitable(self, error: BaseException) -> bool:
        return isinstance(error, self.driver.dbapi.Error) and waitable_at_connect(self.driver.errno(error), None)

    def _unavailable(self, refusal: GateTimeout | GateFull, seconds: float) -> CallError:
        if isinstance(refusal, GateFull):
            message = f"{self.name} can't be reached, and {self.policy.max_waiting} calls wait for it (max_waiting)"
        else:
            message = f"{self.name} could not be reached within {seconds:.1f} s"
        last = refusal.last_error
        if last is not None:
            message += (
                f"; the last attempt ended in {self.driver.errno(last)} {last.args[-1] if last.args else ''}".rstrip()
            )
        return self.error(
            ServerUnavailable,
            message + f". Nothing was committed by this call; ride_through is {self.policy.ride_through:g} s",
        )
