"""From events and pools to numbers: what happened is counted as it happens, what is so is read when somebody asks.

Nothing is done for a statement. For a checkout it is a few clock readings, for a loss whatever it takes.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere import errors, events
from stillhere.causes.rules import RULES
from stillhere.continuity.gatekeeping import GateState
from stillhere.continuity.verdict import Phase
from stillhere.observe.instruments import INSTRUMENTS, Instrument, Labels, Sink

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Recorder"]

_OTHER = "other"
_PHASES = frozenset(phase.name for phase in Phase)
_ENDINGS = frozenset(name for name in errors.__all__ if issubclass(getattr(errors, name), errors.CallError))
_BOUNDLESS = 64  # servers or pools beyond these many share the label "other"


@dataclass(eq=False, slots=True)
class _Watched:
    """An engine whose pool is read; it is not kept alive for that."""

    engine: weakref.ref[Engine]
    name: str


class Recorder:
    """Feeds one sink.

    Args:
        sink: where numbers go.
        add_span: called with each `Recovery` and `Refusal`, for a backend that draws traces.
    """

    def __init__(self, sink: Sink, add_span: Callable[[events.Recovery | events.Refusal], None] | None = None) -> None:
        self._add: Callable[[Instrument, Labels, float], None] = sink.add
        self._add_span = add_span
        self._watched: tuple[_Watched, ...] = ()
        self._servers: set[str] = set()
        self._listener = self._on_event  # kept: each look-up of a method is another object

    def start(self) -> None:
        """Listen from now on."""
        events.listen(self._listener)

    def stop(self) -> None:
        """Listen no more. Engines stay instrumented, and their numbers go nowhere."""
        events.unlisten(self._listener)
        self._add = _nowhere

    # -- what happened -----------------------------------------------------------------------------------

    def _on_event(self, event: events.Event) -> None:
        match event:
            case events.Loss():
                phase = event.phase if event.phase in _PHASES else _OTHER
                self.add("losses", (self._server(event.server), phase))
            case events.Incident():
                cause = event.cause if event.cause in _CAUSES else _OTHER
                self.add("incidents", (self._server(event.server), cause))
                if event.error:
                    self.add("refused", (self._server(event.server), _ending(event.error)))
            case events.Recovery():
                server = self._server(event.loss.server)
                self.add("continued", (server, event.action.lower()))
                self.add("recovery_seconds", (server,), event.seconds)
            case events.Replay():
                outcome = "same" if event.same else "diverged"
                self.add("replayed", (self._server(event.server), outcome))
            case events.Wait():
                outcome = "served" if event.served else "given up"
                self.add("wait_seconds", (self._server(event.server), outcome), event.seconds)
            case events.Refusal():
                pass  # counted with its incident, which also knows of those that no loss came before
        if self._add_span is not None and isinstance(event, events.Recovery | events.Refusal):
            self._add_span(event)

    def _server(self, name: str) -> str:
        if name in self._servers or len(self._servers) < _BOUNDLESS:
            self._servers.add(name)
            return name
        return _OTHER

    # -- pools -------------------------------------------------------------------------------------------

    def watch(self, engine: Engine, name: str = "") -> None:
        """Measure an engine's checkouts, uses and transactions, and read its pool when asked; once for each engine.

        Args:
            engine: whose pool.
            name: of the pool; the database's address and name where it is empty.
        """
        if any(one.engine() is engine for one in self._watched):
            return
        url = engine.url
        name = name or f"{url.host or 'localhost'}:{url.port or 3306}/{url.database or ''}".rstrip("/")
        self._watched = (
            *(one for one in self._watched if one.engine() is not None),
            _Watched(weakref.ref(engine), name),
        )
        _Pools(self, name).attach(engine)

    def add(self, name: str, labels: Labels, number: float = 1.0) -> None:
        """A number for the instrument of that name."""
        self._add(INSTRUMENTS[name], labels, number)

    def family(self, server: str) -> str:
        """``mariadb`` or ``mysql``, as the engine of that server found out; ``mysql`` for one that isn't watched."""
        for one in self._watched:
            engine = one.engine()
            if engine is not None and getattr(getattr(engine, "_stillhere", None), "name", "") == server:
                return "mariadb" if getattr(engine.dialect, "is_mariadb", False) else "mysql"
        return "mysql"

    # -- what is so ----------------------------------------------------------------------------------------

    def sample(self) -> Iterator[tuple[Instrument, Labels, float]]:
        """All gauges, now."""
        gates: dict[str, Any] = {}
        for one in self._watched:
            engine = one.engine()
            if engine is None:
                continue
            endpoint = getattr(engine, "_stillhere", None)
            if endpoint is not None:
                gates[endpoint.name] = endpoint.gate
            yield from _pool(engine.pool, one.name)
        for server, gate in gates.items():
            stats = gate.stats()
            down = 0.0 if stats.state is GateState.UP else stats.down_for
            yield INSTRUMENTS["gate_down_seconds"], (server,), down
            yield INSTRUMENTS["gate_waiting"], (server,), float(stats.waiting)


class _Pools:
    """The listeners of one engine's pools: of the one that it has, and of those that replace it."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._add = recorder.add
        self._labels = (name,)
        self._committed, self._rolled_back = (name, "committed"), (name, "rolled back")

    def attach(self, engine: Engine) -> None:
        from sqlalchemy import event  # noqa: PLC0415 - not a dependency of the package

        event.listen(engine, "checkout", self._on_checkout)  # of the pool: passed on to those that replace it
        event.listen(engine, "checkin", self._on_checkin)
        self._time_checkouts(engine.pool)
        self._time_transactions(engine.dialect)
        dispose = engine.dispose

        # Not by the engine's event: one listener on an engine makes SQLAlchemy look for listeners around each
        # statement.
        def dispose_and_follow(*args: Any, **kwargs: Any) -> None:
            dispose(*args, **kwargs)
            self._time_checkouts(engine.pool)

        engine.dispose = dispose_and_follow  # type: ignore[method-assign]

    def _time_checkouts(self, pool: Any) -> None:
        connect, add, labels = pool.connect, self._add, self._labels

        def timed_connect() -> Any:
            began = time.monotonic()
            try:
                return connect()
            finally:
                add("checkout_seconds", labels, time.monotonic() - began)

        pool.connect = timed_connect

    def _on_checkout(self, connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        record.info["stillhere_taken"] = now
        link = getattr(connection, "_stillhere", None)
        if link is not None:
            self._add("connection_age_seconds", self._labels, now - link.opened_at)
            returned = record.info.get("stillhere_returned")
            if returned is not None and returned >= link.opened_at:
                self._add("connection_idle_seconds", self._labels, now - returned)

    def _on_checkin(self, _connection: Any, record: Any) -> None:
        now = time.monotonic()
        taken = record.info.pop("stillhere_taken", None)
        record.info["stillhere_returned"] = now
        if taken is not None:
            self._add("use_seconds", self._labels, now - taken)

    def _time_transactions(self, dialect: Any) -> None:
        commit, roll_back = dialect.do_commit, dialect.do_rollback

        def do_commit(connection: Any) -> None:
            self._timed(connection, commit, self._committed)

        def do_rollback(connection: Any) -> None:
            self._timed(connection, roll_back, self._rolled_back)

        dialect.do_commit, dialect.do_rollback = do_commit, do_rollback

    def _timed(self, connection: Any, end: Callable[[Any], None], labels: Labels) -> None:
        link = getattr(connection, "_stillhere", None)
        journal = link.ledger.journal if link is not None else None
        if journal is None or not journal.began:
            end(connection)
            return
        began, size = journal.began, journal.size
        end(connection)  # an ending that fails is counted among the refused
        self._add("transaction_seconds", labels, time.monotonic() - began)
        self._add("journal_bytes", self._labels, size)


def _pool(pool: Any, name: str) -> Iterator[tuple[Instrument, Labels, float]]:
    if not hasattr(pool, "checkedout"):
        return  # one that doesn't count
    state = INSTRUMENTS["pool_connections"]
    yield state, (name, "used"), float(pool.checkedout())
    yield state, (name, "idle"), float(pool.checkedin())
    size, beyond = pool.size(), getattr(pool, "_max_overflow", -1)
    if size and beyond >= 0:
        yield INSTRUMENTS["pool_limit"], (name,), float(size + beyond)
        yield INSTRUMENTS["pool_overflow"], (name,), float(max(0, pool.overflow()))


_CAUSES = frozenset({*RULES.names(), "unknown"})


def _ending(name: str) -> str:
    return name if name in _ENDINGS else _OTHER


def _nowhere(_instrument: Instrument, _labels: Labels, _number: float) -> None:
    """After `Recorder.stop`."""
