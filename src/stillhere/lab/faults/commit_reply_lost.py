"""The reply to a COMMIT is lost after it took effect."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene
from stillhere.lab.faults.cutting import cut_for_a_while
from stillhere.lab.wire import Cut, When


class CommitReplyLost(Fault):
    """The reply to a COMMIT is lost after it took effect."""

    name = "commit_reply_lost"
    title = "COMMIT executed, reply lost"
    summary = "Every fifth COMMIT is executed, and the connection reset before its reply arrives."
    cause = "network_lost"

    def strike(self, scene: Scene) -> None:
        """Cut at commits for a while."""
        cut_for_a_while(scene, Cut("COMMIT", When.AFTER_EXECUTED, times=None, every=5))
