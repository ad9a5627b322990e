"""Connections are closed in one direction."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene

_ROUNDS = 4
_SECONDS = 0.5  # between rounds


class HalfClose(Fault):
    """Connections are closed in one direction."""

    name = "half_close"
    title = "half-close"
    summary = "All connections end (FIN) towards the client while the server still takes statements; four times."
    cause = "network_lost"

    def strike(self, scene: Scene) -> None:
        """Half-close them, several times."""
        for _ in range(_ROUNDS):
            for wire in scene.wires:
                wire.half_close_all()
            if scene.pause(_SECONDS):
                return
