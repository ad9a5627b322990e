"""The server is out of reach for a while."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene

_SECONDS = 2.0


class Outage(Fault):
    """The server is out of reach for a while."""

    name = "outage"
    title = "outage"
    summary = "All connections are reset and new ones refused, for two seconds."
    cause = "network_lost"

    def strike(self, scene: Scene) -> None:
        """Refuse, wait, accept."""
        for wire in scene.wires:
            wire.refuse()
        scene.pause(_SECONDS)
        for wire in scene.wires:
            wire.refuse(refused=False)
