"""An administrator kills idle connections."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene
from stillhere.lab.faults.threads import Threads

_ROUNDS = 4
_SECONDS = 0.5  # between rounds


class KillIdle(Fault):
    """An administrator kills idle connections."""

    name = "kill_idle"
    title = "KILL of idle connections"
    summary = "KILL of every connection that sleeps outside a transaction, four times in two seconds."
    cause = "killed"

    def strike(self, scene: Scene) -> None:
        """KILL the idle ones, several times."""
        with Threads(scene.server) as threads:
            for _ in range(_ROUNDS):
                for thread in threads.idle():
                    threads.kill(thread)
                if scene.pause(_SECONDS):
                    return
