"""The server dies at once and is started again."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene

_AWAY = 1.0


class Crash(Fault):
    """The server dies at once and is started again."""

    name = "crash"
    title = "crash"
    summary = "The server process is killed (SIGKILL), stays away for a second, and recovers."
    cause = "crash"

    def strike(self, scene: Scene) -> None:
        """Kill and start the server."""
        scene.server.crash()
        scene.pause(_AWAY)
        scene.server.start()
