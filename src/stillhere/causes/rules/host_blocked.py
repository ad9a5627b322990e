"""The client's host is blocked."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy

__all__ = ["HostBlocked"]


class HostBlocked(CodedRule):
    """The server refuses the client's host after too many connects that were broken off.

    What happens:
        Each connect that ends before login counts against the host; past ``max_connect_errors`` (100) in a row, every
        further one gets 1129 until the host cache is flushed. A health check that opens the port and hangs up is the
        usual reason.

    What shows it:
        1129.

    What speaks against it:
        Nothing else is answered so.

    What to do:
        Flush the host cache, and find out who breaks off.

    Known limits:
        Who broke off is known only from ``performance_schema.host_cache`` (MySQL) and the log.

    References:
        MySQL manual, "DNS Lookups and the Host Cache"; MariaDB manual, "Server System Variables" (max_connect_errors).
    """

    name = "host_blocked"
    title = "Client's host is blocked"
    number = 23
    is_loss = False
    symbols = ("ER_HOST_IS_BLOCKED",)
    kinds = (Kind.HOST_BLOCKED,)
    reference = (
        'MySQL manual, "DNS Lookups and the Host Cache"; MariaDB manual, "Server System Variables", max_connect_errors'
    )

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The limit."""
        limit = reading.number("max_connect_errors")
        weighing.pro(f"max_connect_errors is {limit or 0:g}", VARIABLES, when=limit is not None and weighing.supported)

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server has blocked the client's host after too many broken-off connects"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """Flush, and make the check log in."""
        return Remedy(
            "Unblock the host, and have the health check log in and quit (mysqladmin ping) in place of opening the"
            " port and"
            " hanging up. Connecting again and again doesn't help: stillhere doesn't wait for it.",
            ("TRUNCATE TABLE performance_schema.host_cache  -- MySQL", "FLUSH HOSTS  -- MariaDB"),
        )
