"""An administrator kills connections at work."""

from __future__ import annotations

import time

from stillhere.lab.faults.base import Fault, Scene
from stillhere.lab.faults.threads import Threads

_SECONDS = 2.0
_AFTER_KILL = 0.05
_AFTER_NONE = 0.001


class KillInFlight(Fault):
    """An administrator kills connections at work."""

    name = "kill_in_flight"
    title = "KILL in flight"
    summary = "KILL of connections in the middle of a statement or transaction, one after another for two seconds."
    cause = "killed"

    def strike(self, scene: Scene) -> None:
        """KILL one busy connection after another."""
        end = time.monotonic() + _SECONDS
        with Threads(scene.server) as threads:
            while time.monotonic() < end:
                busy = threads.busy()
                if busy:
                    threads.kill(busy[0])
                if scene.pause(_AFTER_KILL if busy else _AFTER_NONE):
                    return
