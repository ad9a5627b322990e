"""The way to the server becomes long."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene, Symptom

_DELAY = 0.05  # seconds a round trip
_SECONDS = 2.0


class Delay(Fault):
    """The way to the server becomes long."""

    name = "delay"
    title = "slow network"
    summary = "Each round trip takes 50 ms longer, for two seconds; nothing is lost."
    cause = ""
    shows = Symptom.LATENCY

    def strike(self, scene: Scene) -> None:
        """Add the delay and take it away."""
        for wire in scene.wires:
            wire.delay = _DELAY
        scene.pause(_SECONDS)
        for wire in scene.wires:
            wire.delay = 0.0
