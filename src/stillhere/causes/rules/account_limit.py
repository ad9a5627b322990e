"""A limit of the account."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["AccountLimit"]


class AccountLimit(CodedRule):
    """The account has as many connections, or as many statements an hour, as it may have.

    What happens:
        ``max_user_connections`` (1203) or a resource limit of the account (1226) refuses a new connection, or the next
        statement of the hour. Open connections live on.

    What shows it:
        1203 or 1226.

    What speaks against it:
        Nothing else is answered so.

    What to do:
        Do the sum for this account: processes x (pool_size + max_overflow); or raise its limit.

    Known limits:
        1226 doesn't say by its number which of the account's limits was reached; the message does.

    References:
        MySQL manual, "Setting Account Resource Limits"; MariaDB manual, "CREATE USER" (resource limit options).
    """

    name = "account_limit"
    title = "Account limit reached"
    number = 21
    is_loss = False
    symbols = ("ER_TOO_MANY_USER_CONNECTIONS", "ER_USER_LIMIT_REACHED")
    reference = 'MySQL manual, "Setting Account Resource Limits"; MariaDB manual, "CREATE USER"'

    def concerns(self, reading: Reading) -> bool:  # noqa: ARG002 - no log has it
        """Never without the number."""
        return False

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The global limit."""
        limit = reading.number("max_user_connections")
        weighing.pro(f"max_user_connections is {limit or 0:g}", VARIABLES, when=bool(limit))

    def sentence(self, reading: Reading) -> str:
        """Which of the two."""
        if reading.has("ER_TOO_MANY_USER_CONNECTIONS"):
            return "the account had as many connections as max_user_connections allows"
        return "a resource limit of the account was reached"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """The sum or the limit."""
        return Remedy(
            "Keep processes x (pool_size + max_overflow) of this account below its limit, or raise the limit.",
            ("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 200", "SHOW CREATE USER app@'%'"),
        )
