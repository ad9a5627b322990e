"""No space left."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import Reading
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["DiskFull"]


class DiskFull(CodedRule):
    """The server's disk is full: statements hang or fail; the connection lives until somebody gives up.

    What happens:
        Writes to tables and logs wait until there is space; clients hang, and give up by their own timeouts. Some
        statements fail with 1021.

    What shows it:
        1021, or the log's ``Disk is full writing …`` and ``Errcode: 28``.

    What speaks against it:
        Beside a client that gave up waiting, the log's line leaves it possible: other things are slow too.

    What to do:
        Make space: old binary logs first.

    Known limits:
        How full the disk is isn't observed.

    References:
        MySQL manual, "How MySQL Handles a Full Disk"; MariaDB manual, "MariaDB Error Codes" (1021).
    """

    name = "disk_full"
    title = "Disk full"
    number = 19
    is_loss = False
    symbols = ("ER_DISK_FULL",)
    kinds = (Kind.DISK_FULL,)
    reference = 'MySQL manual, "How MySQL Handles a Full Disk"'

    def concerns(self, reading: Reading) -> bool:
        """A log alone, or a client that gave up waiting."""
        return not reading.told or bool(reading.timed_out)

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server's disk was full, and its writes waited for space"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """Space."""
        return Remedy(
            "Make space on the data, log and temporary directories; old binary logs are the usual first.",
            ("PURGE BINARY LOGS BEFORE NOW() - INTERVAL 3 DAY", "df -h"),
            "a replica that still needs a purged binary log must be built anew",
        )
