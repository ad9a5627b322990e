"""How full an engine's pool is, whether its connections come back, and whether its server can be reached."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere.continuity.gate import GateStats
from stillhere.continuity.gatekeeping import GateState

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Occupancy", "PoolWatch"]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A pool at one moment.

    Attributes:
        in_use: connections that are checked out; 0 for a pool that doesn't count.
        limit: how many there may be; 0 for a pool without a limit.
        idle_for: seconds since a connection last came back; ``None`` where none has.
    """

    in_use: int
    limit: int
    idle_for: float | None

    @property
    def full(self) -> bool:
        """Whether whoever comes next has to wait."""
        return bool(self.limit) and self.in_use >= self.limit


class PoolWatch:
    """Looks at the pool that an engine has now: ``Engine.dispose()`` replaces it.

    Args:
        engine: whose pool.
    """

    def __init__(self, engine: Engine) -> None:
        from sqlalchemy import event  # noqa: PLC0415 - not a dependency of the package

        self._engine = engine
        self._returned: float | None = None
        event.listen(engine, "checkin", self._on_checkin)  # of this pool and of those that replace it

    def occupancy(self) -> Occupancy:
        """The pool now."""
        pool: Any = self._engine.pool
        in_use = pool.checkedout() if hasattr(pool, "checkedout") else 0
        size, overflow = (pool.size() if hasattr(pool, "size") else 0), getattr(pool, "_max_overflow", -1)
        limit = size + overflow if size and overflow >= 0 else 0
        idle_for = None if self._returned is None else time.monotonic() - self._returned
        return Occupancy(in_use, limit, idle_for)

    def gate(self) -> GateStats | None:
        """The gate's state; ``None`` where the engine is not one of stillhere's."""
        endpoint = getattr(self._engine, "_stillhere", None)
        return None if endpoint is None else endpoint.gate.stats()

    def gate_reasons(self) -> tuple[str, ...]:
        """A sentence where the server is known to be away."""
        stats = self.gate()
        if stats is None or stats.state is GateState.UP:
            return ()
        calls = "1 call waits" if stats.waiting == 1 else f"{stats.waiting} calls wait"
        return (f"the server has been out of reach for {stats.down_for:.1f} s; {calls} for it",)

    def _on_checkin(self, connection: Any, _record: Any) -> None:
        if connection is not None:  # None: it was thrown away, which says nothing good
            self._returned = time.monotonic()
