"""A statement is larger than the server takes, and it hangs up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from stillhere.lab.faults.base import Fault, Scene, Traffic

_SECONDS = 2.0


class OversizedPacket(Fault):
    """A statement is larger than the server takes, and it hangs up."""

    name = "oversized_packet"
    title = "oversized packet"
    summary = "A statement is larger than max_allowed_packet; the server closes the connection that sent it."
    cause = "packet_too_large"
    variables: ClassVar[Mapping[str, str]] = {"max_allowed_packet": "1048576"}
    traffic = Traffic.LARGE

    def strike(self, scene: Scene) -> None:
        """Wait while the applications send too much."""
        scene.pause(_SECONDS)
