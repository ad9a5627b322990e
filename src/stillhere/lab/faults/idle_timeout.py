"""The server closes connections that idle for longer than its wait_timeout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from stillhere.lab.faults.base import Fault, Scene, Traffic


class IdleTimeout(Fault):
    """The server closes connections that idle for longer than its wait_timeout."""

    name = "idle_timeout"
    title = "idle timeout"
    summary = "The server closes connections that idled for a second; the next request on each finds it gone."
    cause = "idle_timeout"
    variables: ClassVar[Mapping[str, str]] = {"wait_timeout": "1", "interactive_timeout": "1"}
    traffic = Traffic.BURSTS
    silence = 1.6

    def strike(self, scene: Scene) -> None:
        """Wait for two silences: the server does the rest."""
        scene.pause(2 * self.silence)
