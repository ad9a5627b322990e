"""When maintenance must give way: too many threads at work, or a replica that falls behind."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits", "Load", "verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much load maintenance may run beside.

    Attributes:
        running: ``Threads_running``, our own two among them. 25: more than a server with a few cores gets done at once.
        lag: seconds that this server may be behind its source. 30. The lag of its own replicas is not seen from here.
        lock_wait: seconds to wait for a table's metadata lock. 5: whoever wants the table waits behind us meanwhile.
    """

    running: int = 25
    lag: float = 30.0
    lock_wait: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was seen.

    Attributes:
        running: ``Threads_running``.
        lag: seconds behind the source, the worst of several; ``None`` where it is no replica, or can't tell.
    """

    running: int
    lag: float | None = None


def verdict(load: Load, limits: Limits) -> str | None:
    """Why to stop; ``None`` where there is no reason."""
    if load.running > limits.running:
        return f"Threads_running is {load.running}, over {limits.running} (--max-running)"
    if load.lag is not None and load.lag > limits.lag:
        return f"the server is {load.lag:.0f} s behind its source, over {limits.lag:.0f} s (--max-lag)"
    return None
