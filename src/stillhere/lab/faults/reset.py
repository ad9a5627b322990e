"""The network resets all connections."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene

_ROUNDS = 4
_SECONDS = 0.5  # between rounds


class Reset(Fault):
    """The network resets all connections."""

    name = "reset"
    title = "connection reset"
    summary = "All connections are reset (RST) at the same moment, four times in two seconds."
    cause = "network_lost"

    def strike(self, scene: Scene) -> None:
        """Reset them, several times."""
        for _ in range(_ROUNDS):
            for wire in scene.wires:
                wire.reset_all()
            if scene.pause(_SECONDS):
                return
