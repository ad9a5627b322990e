"""The kernel killed the server for want of memory."""

from __future__ import annotations

from datetime import timedelta

from stillhere.causes.deaths import Death, weigh_death
from stillhere.causes.ended import EndingRule
from stillhere.causes.reading import Reading
from stillhere.causes.remedies import server_came_back
from stillhere.causes.rule import Certainty
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import moment, source_of, utc
from stillhere.errorlog.entry import Entry, Kind
from stillhere.errorlog.summary import Ending
from stillhere.findings import Remedy

__all__ = ["OutOfMemory"]

_NEAR = timedelta(seconds=30)


class OutOfMemory(EndingRule):
    """The kernel's memory killer, or a container's memory limit, ended the server with SIGKILL.

    What happens:
        The server's own log is silent: it had no chance to write. The kernel's log and the service manager have it
        (``Out of memory: Killed process``, ``oom-kill``). Clients see a crash.

    What shows it:
        A line of the kernel or the service manager at the moment of the death.

    What speaks against it:
        Shutdown lines or a stack trace in the server's log: then it ended otherwise.

    What to do:
        Give the server less to use or the host more: the buffer pool and the sum of all sessions' buffers must fit in
        what the container or host allows.

    Known limits:
        Without the kernel's log a start with neither shutdown nor crash lines before it leaves it possible only.

    References:
        MySQL manual, "How MySQL Uses Memory"; MariaDB manual, "MariaDB Memory Allocation".
    """

    name = "out_of_memory"
    title = "Killed for want of memory"
    number = 16
    refines = ("crash",)
    ending = Ending.OOM
    reference = 'MySQL manual, "How MySQL Uses Memory"; MariaDB manual, "MariaDB Memory Allocation"'

    def weigh(self, reading: Reading, end: Death, weighing: Weighing) -> Certainty | None:
        """By the kernel's line; a death without a word leaves it possible."""
        if end.ending not in (Ending.OOM, Ending.KILLED):
            return None
        weigh_death(weighing, end)
        kernel = [line for line in reading.seen.log if line.kind is Kind.OOM_KILL and _near(line, end)]
        if kernel and end.ending is Ending.KILLED:
            weighing.pro("the kernel or the service manager killed it for want of memory", source_of(kernel[0]))
        return Certainty.PROVED if end.ending is Ending.OOM or kernel else Certainty.POSSIBLE

    def sentence(self, end: Death) -> str:
        """With the moment where it is known."""
        at = f" at {moment(end.last)}" if end.last and end.ending is Ending.OOM else ""
        word = (
            "was killed for want of memory" if end.ending is Ending.OOM else "may have been killed for want of memory"
        )
        return f"the server {word}{at}"

    def remedy(self) -> Remedy:
        """Less to use, or more to have."""
        return server_came_back(
            "Lower innodb_buffer_pool_size, or max_connections times the session buffers, below what the host or the"
            " container"
            " allows; or allow more."
        )

    def settle(self) -> tuple[str, ...]:
        """The kernel's word."""
        return (
            "journalctl -k | grep -i 'out of memory'",
            "the container's state: docker inspect (OOMKilled), kubectl describe pod (OOMKilled, exit code 137)",
        )


def _near(line: Entry, end: Death) -> bool:
    first, last = end.first or end.last, end.last or end.first
    if line.at is None or first is None or last is None:
        return False
    return utc(first) - _NEAR <= utc(line.at) <= utc(last) + _NEAR
