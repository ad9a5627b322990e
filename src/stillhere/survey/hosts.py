"""Which clients' hosts are near being blocked, or are blocked: ``performance_schema.host_cache``."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.survey.take import Ask

__all__ = ["BlockedHost", "take_hosts"]


@dataclass(frozen=True, slots=True)
class BlockedHost:
    """A host whose connections were cut short before they had logged in.

    Attributes:
        host: name or address.
        errors: how many in a row, as counted against ``max_connect_errors``.
    """

    host: str
    errors: int


def take_hosts(ask: Ask) -> tuple[BlockedHost, ...]:
    """The hosts with the most such errors; at most fifty, and none where the server keeps no host cache.

    Raises:
        NotAllowed: the account lacks SELECT on performance_schema.host_cache.
    """
    rows = ask(
        "SELECT COALESCE(HOST, IP) AS host, SUM_CONNECT_ERRORS AS errors FROM performance_schema.host_cache"
        " WHERE SUM_CONNECT_ERRORS > 0 ORDER BY SUM_CONNECT_ERRORS DESC LIMIT 50"
    )
    return tuple(BlockedHost(str(row["host"]), int(row["errors"])) for row in rows)
