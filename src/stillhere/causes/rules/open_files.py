"""The server has no file descriptor left."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import STATUS, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["OpenFiles"]

_COUNTER = "connection_errors_accept"


class OpenFiles(CodedRule):
    """The server could not accept a connection for want of a file descriptor.

    What happens:
        ``accept`` fails with EMFILE: the client's connection hangs in the kernel's queue or is refused, and the log
        fills with ``Error in accept: Too many open files``.

    What shows it:
        That line at the moment of a failed connect; ``Connection_errors_accept``.

    What speaks against it:
        A number from the server: then it had accepted.

    What to do:
        Raise the service's limit on open files.

    Known limits:
        The client has no number of its own for it: 2002, 2003 or 2013, as for an unreachable server.

    References:
        MySQL manual, "File Not Found and Similar Errors" and "Server Status Variables" (Connection_errors_accept).
    """

    name = "open_files"
    title = "No file descriptor left"
    number = 24
    is_loss = False
    refines = ("handshake_lost",)
    kinds = (Kind.ACCEPT_FAILED,)
    hinders_connecting = True
    reference = (
        'MySQL manual, "File Not Found and Similar Errors" and "Server Status Variables", Connection_errors_accept'
    )

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The counter."""
        grown = reading.server.deltas.get(_COUNTER, 0)
        weighing.pro(f"Connection_errors_accept grew by {grown}", STATUS, when=grown > 0)

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server could not accept connections: too many open files"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """The limit on open files."""
        return Remedy(
            "Raise the service's limit on open files over max_connections + table_open_cache x 2, and"
            " open_files_limit with it.",
            ("[Service]\nLimitNOFILE=65535", "[mysqld]\nopen_files_limit = 65535"),
        )

    def settle(self, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """The log and the counter."""
        return (
            "the error log: 'Error in accept' at that moment",
            "SHOW GLOBAL STATUS LIKE 'Connection_errors_accept', before and after",
        )
