"""The connection is lost between the last statement and its return to the pool."""

from __future__ import annotations

from stillhere.lab.faults.base import Fault, Scene, Traffic
from stillhere.lab.faults.cutting import cut_for_a_while
from stillhere.lab.wire import Command, Cut, When

__all__ = ["LAST_STATEMENT_MARK", "IsolationReturn"]

LAST_STATEMENT_MARK = "/* last */"
"""What the load puts into the last statement of a request."""


class IsolationReturn(Fault):
    """The connection is lost between the last statement and its return to the pool.

    With stock SQLAlchemy there are two such moments, and they end differently. Right behind the last
    statement's reply, the ROLLBACK of the return finds the loss, and the pool copes. Behind the reply to that
    ROLLBACK (or COMMIT), it is found by the command that puts the isolation level back, and the pool's
    slot leaks. Both are struck.
    """

    name = "isolation_return"
    title = "loss at return"
    summary = "Connections are reset behind the last reply of a request, then behind the ROLLBACK that follows it."
    cause = "network_lost"
    traffic = Traffic.ISOLATION

    def strike(self, scene: Scene) -> None:
        """Cut behind marked statements for a while, then behind the ends of their transactions."""
        cut_for_a_while(scene, Cut(_marked, When.AFTER_REPLY, times=None, every=2))
        cut_for_a_while(scene, Cut(EndAfterMark(), When.AFTER_REPLY, times=None, every=2))


class EndAfterMark:
    """Picks the COMMIT or ROLLBACK that follows a marked statement on the same connection."""

    def __init__(self) -> None:
        self._marked: set[int] = set()

    def __call__(self, command: Command) -> bool:
        """Whether it is one; a marked statement is remembered until then."""
        if _marked(command):
            self._marked.add(command.thread_id)
        elif command.thread_id in self._marked and (command.begins("ROLLBACK") or command.begins("COMMIT")):
            self._marked.discard(command.thread_id)
            return True
        return False


def _marked(command: Command) -> bool:
    return LAST_STATEMENT_MARK in command.text
