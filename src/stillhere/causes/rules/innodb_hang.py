"""InnoDB waited too long for a latch and ended the server on purpose."""

from __future__ import annotations

from stillhere.causes.deaths import Death
from stillhere.causes.ended import EndingRule
from stillhere.causes.remedies import server_came_back
from stillhere.causes.wording import moment
from stillhere.errorlog.summary import Ending
from stillhere.findings import Remedy

__all__ = ["InnodbHang"]


class InnodbHang(EndingRule):
    """InnoDB waited for more than ten minutes for a latch, took the server for hung, and ended it.

    What happens:
        Statements hang first; after 600 seconds (``innodb_fatal_semaphore_wait_threshold`` on MariaDB) the server ends
        itself, and every client gets 2013.

    What shows it:
        The log's ``Semaphore wait has lasted > 600 seconds. We intentionally crash the server``.

    What speaks against it:
        A log that ends otherwise.

    What to do:
        Look for what held the latch: storage that stopped answering, a huge purge or ALTER, a known bug.

    Known limits:
        The hang itself, before the end, looks to a client like a slow statement.

    References:
        MySQL manual, "InnoDB Troubleshooting"; MariaDB manual, "InnoDB System Variables"
        (innodb_fatal_semaphore_wait_threshold).
    """

    name = "innodb_hang"
    title = "InnoDB hung and ended the server"
    number = 17
    refines = ("crash",)
    ending = Ending.HANG
    reference = (
        'MySQL manual, "InnoDB Troubleshooting"; MariaDB manual, "InnoDB System Variables",'
        " innodb_fatal_semaphore_wait_threshold"
    )

    def sentence(self, end: Death) -> str:
        """With the moment where it is known."""
        at = f" at {moment(end.last)}" if end.last else ""
        return f"InnoDB waited too long for a latch and ended the server{at}"

    def remedy(self) -> Remedy:
        """What held the latch."""
        return server_came_back(
            "Look at the storage's latency at that time, and at the threads that the log lists as holders; upgrade"
            " where the"
            " version has a known bug."
        )
