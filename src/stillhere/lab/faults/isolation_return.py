"""The connection is lost between the last statement and its return to the pool."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene, Traffic
from stillhere.lab.faults.cutting import cut_for_a_while
from stillhere.lab.wire import Command, Cut, When

__all__ = ["LAST_STATEMENT_MARK", "IsolationReturn"]

LAST_STATEMENT_MARK = "/* last */"
"""What the load puts into the last statement of a request."""


class IsolationReturn(Fault):
    """The connection is lost between the last statement and its return to the pool."""

    name = "isolation_return"
    title = "loss at return"
    summary = "The connection is reset right after the last reply of every second request, before it is returned."
    traffic = Traffic.ISOLATION

    def strike(self, scene: Scene) -> None:
        """Cut behind marked statements for a while."""
        cut_for_a_while(scene, Cut(_marked, When.AFTER_REPLY, times=None, every=2))


def _marked(command: Command) -> bool:
    return LAST_STATEMENT_MARK in command.text
