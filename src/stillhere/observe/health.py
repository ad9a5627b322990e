"""Is this process alive, and can it serve requests? For orchestrators and load balancers.

Liveness never asks the database: if it did, one outage would have every process of a fleet restarted, and the database
would come back to a storm of new connections. Readiness does, through the application's own pool, since a process that
can't get a connection can't serve, whatever the server says to somebody else.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from stillhere.observe.pools import Occupancy, PoolWatch
from stillhere.observe.reasons import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Answer", "Health", "Status"]

_PATIENCE = 30.0
_MOST_ABANDONED = 2


class Status(Enum):
    """What an answer says in one word."""

    ALIVE = "alive"
    """The process answers; nothing else was looked at."""
    READY = "ready"
    BUSY = "busy"
    """All connections are in use and come back: slow, and no reason to send the work elsewhere."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe is told.

    Attributes:
        status: in one word.
        reasons: why, a sentence each, without credentials; empty where all is well.
        age: seconds since the database was looked at; 0 where it was not.
        took: seconds that the look took; 0 where there was none, or it hasn't ended.
    """

    status: Status
    reasons: tuple[str, ...] = ()
    age: float = 0.0
    took: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the probe succeeds."""
        return self.status is not Status.UNAVAILABLE

    def as_json(self) -> dict[str, Any]:
        """The body of an HTTP answer."""
        return {
            "status": self.status.value,
            "reasons": list(self.reasons),
            "checked_seconds_ago": round(self.age, 3),
            "took_seconds": round(self.took, 3),
        }


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the database, finished."""

    ended: float
    took: float
    reason: str  # empty where it went well


class Health:
    """The health of one process, as its probes see it.

    However many probes ask, one look at the database is under way at a time, and its result serves all that come
    within `cache_for` after it: probes can't pile up on a server that is dying. A look that hangs costs one thread and
    one connection of the pool; after half a minute another is tried beside it, and never are there more than three.

    Args:
        engine: the application's own, with the pool that its requests use.
        timeout: seconds that a probe waits for a look. 0.8: under the one second that Kubernetes gives a probe where
            its manifest doesn't say more.
        cache_for: seconds for which a finished look serves. 1 s.
        busy_for: where all connections are in use, for how many seconds after the last one came back the process still
            counts as busy, not as stuck. 10 s.
        look: asks the database, and raises where it can't; by default ``SELECT 1`` on a connection of the pool.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        timeout: float = 0.8,
        cache_for: float = 1.0,
        busy_for: float = 10.0,
        look: Callable[[], object] | None = None,
    ) -> None:
        self._engine = engine
        self._timeout = timeout
        self._cache_for = cache_for
        self._busy_for = busy_for
        self._ask = look if look is not None else self._select_one
        self._pool = PoolWatch(engine)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._process = os.getpid()
        # Guards what is below: two probes must not both find no look under way and start one each.
        self._lock = threading.Lock()
        self._under_way: Future[_Look] | None = None
        self._began = 0.0
        self._abandoned = 0
        self._last: _Look | None = None
        self._started_up = False

    def live(self) -> Answer:
        """Whether the process answers at all. Never depends on the database."""
        return Answer(Status.ALIVE)

    def ready(self) -> Answer:
        """Whether a request could be served now; waits for at most `timeout`."""
        flight = self._look()
        if isinstance(flight, Future):
            try:
                flight = flight.result(self._timeout)
            except FutureTimeout:
                return self._hanging()
        return self._judged(flight)

    async def ready_async(self) -> Answer:
        """The same on an event loop, which it does not block."""
        flight = self._look()
        if isinstance(flight, Future):
            try:
                # Shielded: a probe that goes away must not cancel the look that others wait for.
                flight = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(flight)), self._timeout)
            except TimeoutError:
                return self._hanging()
        return self._judged(flight)

    def startup(self) -> Answer:
        """Whether the process has been ready once. From then on it is `live`: what comes later is readiness."""
        return self.live() if self._started_up else self.ready()

    async def startup_async(self) -> Answer:
        """The same on an event loop."""
        return self.live() if self._started_up else await self.ready_async()

    def _look(self) -> Future[_Look] | _Look:
        """The last look where it is young enough; else the one that is under way, or a new one."""
        if self._process != os.getpid():
            self._start_afresh()  # the parent's thread, and perhaps its held lock, do not exist in this child
        with self._lock:
            now = time.monotonic()
            if self._under_way is not None:
                if now - self._began < _PATIENCE or self._abandoned >= _MOST_ABANDONED:
                    return self._under_way
                self._abandoned += 1  # it may hang for as long as the kernel lets it, and the server be back
            elif self._last is not None and now - self._last.ended <= self._cache_for:
                return self._last
            self._under_way = future = Future[_Look]()
            self._began = now
        threading.Thread(target=self._run, args=(future, now), name="stillhere-health", daemon=True).start()
        return future

    def _run(self, future: Future[_Look], began: float) -> None:
        reason = ""
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the probe's answer is "no", with the reason
            reason = reason_of(error)
        ended = time.monotonic()
        look = _Look(ended, ended - began, reason)
        with self._lock:
            self._last = look
            if self._under_way is future:
                self._under_way = None
            else:
                self._abandoned -= 1
        future.set_result(look)

    def _select_one(self) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def _judged(self, look: _Look) -> Answer:
        age = time.monotonic() - look.ended
        if not look.reason:
            self._started_up = True
            return Answer(Status.READY, (), age, look.took)
        return self._answer(look.reason, age, look.took)

    def _hanging(self) -> Answer:
        waited = time.monotonic() - self._began
        return self._answer(f"the database has not answered for {waited:.1f} s", waited, 0.0)

    def _answer(self, reason: str, age: float, took: float) -> Answer:
        occupancy = self._pool.occupancy()
        if not occupancy.full:
            return Answer(Status.UNAVAILABLE, (reason, *self._pool.gate_reasons()), age, took)
        moving = occupancy.idle_for is not None and occupancy.idle_for <= self._busy_for
        status = Status.BUSY if moving and not self._pool.gate_reasons() else Status.UNAVAILABLE
        return Answer(status, (reason, _full(occupancy), *self._pool.gate_reasons()), age, took)


def _full(occupancy: Occupancy) -> str:
    text = f"all {occupancy.limit} connections of the pool are in use"
    if occupancy.idle_for is None:
        return f"{text}, and none has come back yet"
    return f"{text}; the last one came back {occupancy.idle_for:.1f} s ago"
