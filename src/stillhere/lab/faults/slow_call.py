"""The server closes connections while their requests wait for something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from stillhere.lab.faults.base import Fault, Scene, Traffic


class SlowCall(Fault):
    """The server closes connections while their requests wait for something else."""

    name = "slow_call"
    title = "slow external call"
    summary = "Requests call a slow service in their middle, for longer than the server keeps an idle connection."
    cause = "slow_work"
    also = frozenset({"idle_timeout"})
    variables: ClassVar[Mapping[str, str]] = {"wait_timeout": "1", "interactive_timeout": "1"}
    traffic = Traffic.SLOW_CALL
    silence = 1.6

    def strike(self, scene: Scene) -> None:
        """Wait for two slow calls: the server does the rest."""
        scene.pause(2 * self.silence)
