"""A firewall forgets connections: nothing reaches the server any more."""

from __future__ import annotations

from typing import ClassVar

from stillhere.lab.faults.base import Fault, Scene


class BlackHoleToServer(Fault):
    """A firewall forgets connections: nothing reaches the server any more."""

    name = "black_hole_to_server"
    title = "black hole to the server"
    summary = "Statements vanish on all existing connections without a sign; after eight seconds they are reset."
    cause = "network_lost"

    seconds: ClassVar[float] = 8.0

    def strike(self, scene: Scene) -> None:
        """Silence them, wait, and reset the silent ones."""
        for wire in scene.wires:
            wire.black_hole(to_server=True, to_client=False)
        scene.pause(self.seconds)
        for wire in scene.wires:
            wire.heal()
