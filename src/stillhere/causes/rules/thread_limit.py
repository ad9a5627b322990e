"""No thread or memory for another connection."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import STATUS, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["ThreadLimit"]


class ThreadLimit(CodedRule):
    """The server could not make a thread, or get the memory, for another connection.

    What happens:
        The kernel refuses the thread: a limit of the service manager, the container or the user. New connections get
        1135 or 1041; those that are open live on.

    What shows it:
        1135 or 1041; the log's ``Can't create thread to handle new connection``; ``Connection_errors_internal``.

    What speaks against it:
        1040: then it is ``max_connections``.

    What to do:
        Raise the limit on tasks, or the memory that the container allows.

    Known limits:
        Which of the limits it was is in the kernel's and the service manager's books.

    References:
        MySQL manual, "Server Error Message Reference" (1135); systemd.resource-control(5) (TasksMax).
    """

    name = "thread_limit"
    title = "No thread for a new connection"
    number = 22
    is_loss = False
    symbols = ("ER_CANT_CREATE_THREAD", "ER_OUT_OF_RESOURCES")
    kinds = (Kind.THREAD_LIMIT,)
    reference = 'MySQL manual, "Server Error Message Reference", 1135; systemd.resource-control(5), TasksMax'

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The counter."""
        grown = reading.server.deltas.get("connection_errors_internal", 0)
        weighing.pro(f"Connection_errors_internal grew by {grown}", STATUS, when=grown > 0 and weighing.supported)

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server could not make a thread for another connection"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """The limit on tasks."""
        return Remedy(
            "Raise the limit on the service's tasks (TasksMax, ulimit -u, the container's pids limit) and on its"
            " memory; or"
            " lower max_connections below it.",
            ("[Service]\nTasksMax=8192\nLimitNPROC=8192", "docker run --pids-limit 8192 …"),
        )
