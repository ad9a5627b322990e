"""A shutdown that nobody waited for."""

from __future__ import annotations

from stillhere.causes.deaths import Death
from stillhere.causes.ended import EndingRule
from stillhere.causes.remedies import server_came_back
from stillhere.causes.wording import moment
from stillhere.errorlog.summary import Ending
from stillhere.findings import Remedy

__all__ = ["UnfinishedShutdown"]


class UnfinishedShutdown(EndingRule):
    """A shutdown began and was cut short by SIGKILL, as when a container's stop timeout passes.

    What happens:
        ``docker stop`` waits 10 seconds by default, Kubernetes 30, then SIGKILL. A server with many dirty pages needs
        longer; it is then killed in the middle of its shutdown, and recovers at the next start.

    What shows it:
        The log has the shutdown's beginning, no ``Shutdown complete``, and the next start.

    What speaks against it:
        ``Shutdown complete`` before the next start.

    What to do:
        Give the stop more time.

    Known limits:
        A crash in the middle of a shutdown, without a trace in the log, looks the same.

    References:
        MySQL manual, "The Server Shutdown Process"; Docker documentation, "docker container stop" (--time); Kubernetes
        documentation, "Pod Lifecycle" (terminationGracePeriodSeconds).
    """

    name = "unfinished_shutdown"
    title = "Shutdown cut short"
    number = 18
    refines = ("server_restart", "crash")
    ending = Ending.UNFINISHED_SHUTDOWN
    reference = 'MySQL manual, "The Server Shutdown Process"; Docker documentation, "docker container stop"'

    def sentence(self, end: Death) -> str:
        """With the moment where it is known."""
        at = f" at {moment(end.first)}" if end.first else ""
        return f"a shutdown began{at} and was killed before it was over"

    def remedy(self) -> Remedy:
        """More time."""
        planned = server_came_back("Give the server's stop more time than its slowest shutdown takes.")
        return Remedy(
            planned.text,
            (
                "docker stop --time 300 NAME  (compose: stop_grace_period: 5m)",
                "terminationGracePeriodSeconds: 300",
                "TimeoutStopSec=300",
            ),
        )
