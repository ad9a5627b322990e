"""How many connections each account has and had, from each host: ``performance_schema.accounts``."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.survey.schema import require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask

__all__ = ["AccountUse", "account_use"]

_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUse:
    """One account from one host.

    Attributes:
        user: account name without host.
        host: the client's host.
        current: connections that are open now.
        total: connections that were opened since the server started, or the table was emptied.
    """

    user: str
    host: str
    current: int
    total: int


def account_use(ask: Ask, snapshot: Snapshot) -> tuple[AccountUse, ...]:
    """Accounts by the connections that they opened, most first; at most 100, the server's own threads left out.

    Raises:
        NotAllowed: the account may not read it, or performance_schema is off.
    """
    require_performance_schema(snapshot)
    rows = ask(
        "SELECT user, host, current_connections, total_connections FROM performance_schema.accounts"  # noqa: S608 - ours
        f" WHERE user IS NOT NULL ORDER BY total_connections DESC LIMIT {_ROWS}"
    )
    return tuple(
        AccountUse(
            user=str(row["user"]),
            host=str(row["host"] or ""),
            current=int(row["current_connections"]),
            total=int(row["total_connections"]),
        )
        for row in rows
    )
