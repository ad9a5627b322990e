"""One BLOB larger than a tenth of the redo log."""

from __future__ import annotations

from stillhere.causes.coded import CodedRule
from stillhere.causes.reading import EXCEPTION, VARIABLES, Reading
from stillhere.causes.weighing import Weighing
from stillhere.causes.wording import bytes_of
from stillhere.errorlog.entry import Kind
from stillhere.findings import Remedy
from stillhere.server.versions import Flavour

__all__ = ["BlobOverRedo"]

_NO_LONGER = (8, 0, 0)


class BlobOverRedo(CodedRule):
    """A BLOB was larger than a tenth of InnoDB's redo log; MySQL 5.6 and 5.7 refuse it.

    What happens:
        MySQL 5.6.20 to 5.7 limit one BLOB to 10 % of the whole redo log, and answer 1118. The connection lives. It is
        often taken for ``max_allowed_packet``, which it isn't.

    What shows it:
        The log's ``The total blob data length … is greater than 10% of the total redo log size``.

    What speaks against it:
        1118 alone is mostly a table whose columns don't fit in a page; MySQL 8.0 and MariaDB have no such limit.

    What to do:
        A larger redo log.

    Known limits:
        Without the log it stays possible only.

    References:
        MySQL 5.7 manual, "InnoDB Startup Options and System Variables" (innodb_log_file_size); MySQL 5.6.20 release
        notes.
    """

    name = "blob_over_redo"
    title = "BLOB over 10 % of the redo log"
    number = 6
    is_loss = False
    kinds = (Kind.BLOB_OVER_REDO,)
    reference = 'MySQL 5.7 manual, "InnoDB Startup Options and System Variables", innodb_log_file_size'

    def concerns(self, reading: Reading) -> bool:
        """A log alone, or 1118 of a server that may have the limit."""
        old = reading.server.version is None or reading.server.version < _NO_LONGER
        return not reading.told or (
            reading.has("ER_TOO_BIG_ROWSIZE") and old and reading.flavour is not Flavour.MARIADB
        )

    def weigh(self, reading: Reading, weighing: Weighing) -> None:
        """The code and the redo log's size."""
        weighing.pro("error 1118", EXCEPTION, when=reading.has("ER_TOO_BIG_ROWSIZE"))
        size, files = reading.number("innodb_log_file_size"), reading.number("innodb_log_files_in_group") or 2
        largest = reading.statement_size
        if size and largest is not None and weighing.supported:
            fact = f"the statement is {bytes_of(largest)}, a tenth of the redo log {bytes_of(size * files / 10)}"
            weighing.con(fact, VARIABLES, when=largest < size * files / 10)
            weighing.pro(fact, VARIABLES, when=largest >= size * files / 10)

    def sentence(self, reading: Reading) -> str:  # noqa: ARG002 - the same for all
        """The same for all."""
        return "one BLOB was larger than a tenth of the redo log; the connection lives"

    def remedy(self, reading: Reading) -> Remedy:  # noqa: ARG002 - the same for all
        """A larger redo log."""
        return Remedy(
            "Make the redo log at least ten times as large as the largest BLOB, or upgrade: MySQL 8.0 has no such"
            " limit.",
            ("[mysqld]\ninnodb_log_file_size = 1G",),
            "a restart in order; crash recovery may take longer",
        )

    def settle(self, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """The log's own line."""
        return ("the error log: does it name the total blob data length?",)
