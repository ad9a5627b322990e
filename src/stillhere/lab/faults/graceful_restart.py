"""The server is shut down in order and started again."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene

_AWAY = 1.0


class GracefulRestart(Fault):
    """The server is shut down in order and started again."""

    name = "graceful_restart"
    title = "graceful restart"
    summary = "The server is shut down in order, stays away for a second, and is started again."
    cause = "server_restart"

    def strike(self, scene: Scene) -> None:
        """Stop and start the server."""
        scene.server.stop()
        scene.pause(_AWAY)
        scene.server.start()
