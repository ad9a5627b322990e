"""Which connections the server itself gave up, and whose: counted by MySQL since it started.

``performance_schema.events_errors_summary_by_account_by_error``, MySQL 8.0 and later; MariaDB has no such table.
Source: "Error Summary Tables" in the MySQL manual. Seen on MySQL 9.7: an idle connection that is cut counts as
ER_CLIENT_INTERACTION_TIMEOUT of its account, a handshake that outlasts ``connect_timeout`` as ER_NET_READ_INTERRUPTED
of no account, a client that hangs up without a goodbye as ER_NET_READ_ERROR.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from stillhere.survey.schema import moment, require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["AccountErrors", "account_errors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErrors:
    """How often one error met one account.

    Attributes:
        name: the error's symbol, such as ``ER_NET_PACKET_TOO_LARGE``.
        account: ``user@host``; empty for connections that had not logged in.
        raised: how often since the server started, or since the table was emptied.
        first: when first.
        last: when last.
    """

    name: str
    account: str
    raised: int
    first: datetime | None
    last: datetime | None


def account_errors(ask: Ask, snapshot: Snapshot, names: Iterable[str]) -> tuple[AccountErrors, ...]:
    """The errors of these symbols that were raised at all, the most frequent first.

    Raises:
        NotAllowed: the account may not read it, performance_schema is off, or the server has no such table.
    """
    if not snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        raise NotAllowed(f"{snapshot.version} keeps no count of errors; MySQL 8.0 and later does")
    require_performance_schema(snapshot)
    listed = ", ".join(f"'{name}'" for name in names)
    rows = ask(
        "SELECT error_name, user, host, sum_error_raised,"  # noqa: S608 - symbols of ours
        " UNIX_TIMESTAMP(first_seen) AS first_seen, UNIX_TIMESTAMP(last_seen) AS last_seen"
        " FROM performance_schema.events_errors_summary_by_account_by_error"
        f" WHERE sum_error_raised > 0 AND error_name IN ({listed}) ORDER BY sum_error_raised DESC"
    )
    return tuple(
        AccountErrors(
            name=str(row["error_name"]),
            account=f"{row['user']}@{row['host']}" if row["user"] is not None else "",
            raised=int(row["sum_error_raised"]),
            first=moment(row["first_seen"]),
            last=moment(row["last_seen"]),
        )
        for row in rows
    )
