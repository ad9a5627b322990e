"""One statement was stopped by the server's limit; the connection lives."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.findings import Remedy

__all__ = ["StatementLimit"]

_CONNECTOR = "mysql-connector"


class StatementLimit(CodedRule):
    """The server stopped one statement at its time limit. Nothing was lost.

    What happens:
        ``max_execution_time`` (MySQL, SELECT only, milliseconds) or ``max_statement_time`` (MariaDB, any statement,
        seconds) passed. The server answers 3024 or 1969; the connection and, on MySQL, the transaction live on.

    What shows it:
        3024 from MySQL or 1969 from MariaDB.

    What speaks against it:
        MySQL Connector/Python gives its own read timeout the number 3024: it counts only where ``max_execution_time``
        is on.

    What to do:
        Make the statement faster or give it more time. There is nothing to reconnect.

    Known limits:
        A hint in the statement (``MAX_EXECUTION_TIME``) sets a limit of its own, which isn't observed.

    References:
        MySQL manual, "Server System Variables" (max_execution_time); MariaDB manual, "Aborting Statements that Exceed
        a Certain Time to Execute".
    """

    name = "statement_limit"
    title = "Statement stopped at its time limit"
    number = 12
    is_loss = False
    symbols = ("ER_QUERY_TIMEOUT", "ER_STATEMENT_TIMEOUT")
    reference = (
        'MySQL manual, "Server System Variables", max_execution_time; MariaDB manual, "Aborting Statements that'
        " Exceed a"
        ' Certain Time to Execute"'
    )

    def applies(self, reading: Reading) -> bool:
        """Not the driver's own timeout of the same number."""
        own = reading.driver.startswith(_CONNECTOR) and reading.has("ER_QUERY_TIMEOUT")
        return not own or bool(reading.number("max_execution_time"))

    def concerns(self, reading: Reading) -> bool:  # noqa: ARG002 - no log has it
        """Never without the number."""
        return False

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The limits that are on."""
        for name, unit in (("max_execution_time", "ms"), ("max_statement_time", "s")):
            limit = reading.number(name)
            weighing.pro(f"{name} is {limit or 0:g} {unit}", VARIABLES, when=bool(limit))

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "the server stopped the statement at its time limit; the connection lives"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """More time or less work."""
        return Remedy(
            "Make the statement faster, or give this one more time. Don't reconnect, and don't run it again as it is.",
            (
                "SELECT /*+ MAX_EXECUTION_TIME(30000) */ …  -- MySQL",
                "SET STATEMENT max_statement_time = 30 FOR SELECT …  -- MariaDB",
            ),
        )
