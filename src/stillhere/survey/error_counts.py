"""How often the server raised the errors that speak of connections, and when last.

``performance_schema.events_errors_summary_global_by_error``, MySQL 8.0 and later. Source: "Error Summary Tables" in the
MySQL manual. MariaDB has no such table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stillhere.server.errorcodes import server_errors
from stillhere.server.versions import Flavour
from stillhere.survey.schema import moment, require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["ErrorCount", "error_counts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """One error.

    Attributes:
        code: its number.
        name: its symbol.
        raised: how often it was raised since the server started, or the table was emptied.
        first: when first.
        last: when last.
    """

    code: int
    name: str
    raised: int
    first: datetime | None
    last: datetime | None


def error_counts(ask: Ask, snapshot: Snapshot) -> tuple[ErrorCount, ...]:
    """The errors of the one table of codes, those that were raised at all.

    Raises:
        NotAllowed: the account may not read it, performance_schema is off, or the server has no such table.
    """
    if not snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        raise NotAllowed("needs MySQL 8.0 or later")
    require_performance_schema(snapshot)
    codes = ", ".join(str(line.code) for line in server_errors(Flavour.MYSQL))
    rows = ask(
        "SELECT error_number, error_name, sum_error_raised,"  # noqa: S608 - numbers of ours
        " UNIX_TIMESTAMP(first_seen) AS first_seen, UNIX_TIMESTAMP(last_seen) AS last_seen"
        " FROM performance_schema.events_errors_summary_global_by_error"
        f" WHERE sum_error_raised > 0 AND error_number IN ({codes}) ORDER BY error_number"
    )
    return tuple(
        ErrorCount(
            code=int(row["error_number"]),
            name=str(row["error_name"]),
            raised=int(row["sum_error_raised"]),
            first=moment(row["first_seen"]),
            last=moment(row["last_seen"]),
        )
        for row in rows
    )
