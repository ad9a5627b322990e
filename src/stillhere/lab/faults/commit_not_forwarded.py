"""A COMMIT is lost before it reaches the server."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene
from stillhere.lab.faults.cutting import cut_for_a_while
from stillhere.lab.wire import Cut, When


class CommitNotForwarded(Fault):
    """A COMMIT is lost before it reaches the server."""

    name = "commit_not_forwarded"
    title = "COMMIT lost"
    summary = "The connection is reset before every fifth COMMIT reaches the server."
    cause = "network_lost"

    def strike(self, scene: Scene) -> None:
        """Cut at commits for a while."""
        cut_for_a_while(scene, Cut("COMMIT", When.BEFORE, times=None, every=5))
