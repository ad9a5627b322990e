"""A newer server that does not start on an older one's files."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import Reading
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["UpgradeRefused"]


class UpgradeRefused(CodedRule):
    """The new version refuses to start on the files that the old one left, and clients find no server.

    What happens:
        The old server was not shut down in order, or its redo log is of a format that the new one can't recover. The
        new one says ``Upgrade after a crash is not supported`` and exits; a service manager tries again and again.

    What shows it:
        That line at the moment of a failed connect.

    What speaks against it:
        A server that answers.

    What to do:
        Start the old version once more, shut it down in order, then upgrade.

    Known limits:
        Clients see 2002 or 2003 only: without the log it can't be told from any other stop.

    References:
        MySQL manual, "Upgrading MySQL" and "InnoDB Recovery"; MariaDB manual, "Upgrading Between Major MariaDB
        Versions".
    """

    name = "upgrade_refused"
    title = "Upgrade refused at start"
    number = 36
    kinds = (Kind.UPGRADE_REFUSED,)
    hinders_connecting = True
    reference = 'MySQL manual, "Upgrading MySQL"; MariaDB manual, "Upgrading Between Major MariaDB Versions"'

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the new server version refused to start on files that were not shut down in order"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """A clean stop of the old version."""
        return Remedy(
            "Start the old version on these files, shut it down in order, then start the new one.",
            ("SET GLOBAL innodb_fast_shutdown = 0", "SHUTDOWN"),
            "a slow shutdown may take minutes: give the stop enough time",
        )
