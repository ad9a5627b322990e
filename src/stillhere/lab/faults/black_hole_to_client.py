"""A firewall forgets connections: nothing reaches the client any more."""

from __future__ import annotations

from typing import ClassVar

from stillhere.lab.faults.base import Fault, Scene


class BlackHoleToClient(Fault):
    """A firewall forgets connections: nothing reaches the client any more."""

    name = "black_hole_to_client"
    title = "black hole to the client"
    summary = "Replies vanish on all existing connections without a sign; after eight seconds they are reset."
    cause = "network_lost"

    seconds: ClassVar[float] = 8.0

    def strike(self, scene: Scene) -> None:
        """Silence them, wait, and reset the silent ones."""
        for wire in scene.wires:
            wire.black_hole(to_server=False, to_client=True)
        scene.pause(self.seconds)
        for wire in scene.wires:
            wire.heal()
