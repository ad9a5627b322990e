"""Which hosts failed to connect, and how: ``performance_schema.host_cache``.

The server keeps a line for each address but those of its own loopback, and only where it resolves names
(``skip_name_resolve`` is off) and ``host_cache_size`` is over 0. Source: "The host_cache Table" in the MySQL manual;
"Performance Schema host_cache Table" in MariaDB's.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.survey.schema import require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask

__all__ = ["HostEntry", "host_cache"]

_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """What the server remembers of one client address.

    Attributes:
        ip: the address.
        host: its name; empty where there is none.
        connect_errors: handshakes broken off since the last good one; at ``max_connect_errors`` it is blocked.
        blocked_attempts: attempts that were refused because it is blocked.
        name_errors: look-ups of its name that failed, for now or for good.
        handshake_errors: handshakes broken off since the server started or the cache was emptied.
        denied: logins refused for a wrong password or an unknown account.
    """

    ip: str
    host: str
    connect_errors: int
    blocked_attempts: int
    name_errors: int
    handshake_errors: int
    denied: int


def host_cache(ask: Ask, snapshot: Snapshot) -> tuple[HostEntry, ...]:
    """The addresses with errors, those nearest to being blocked first; at most 200.

    Raises:
        NotAllowed: the account may not read it, or performance_schema is off.
    """
    require_performance_schema(snapshot)
    rows = ask(
        "SELECT ip, host, sum_connect_errors, count_host_blocked_errors,"  # noqa: S608 - a number of ours
        " count_nameinfo_transient_errors + count_nameinfo_permanent_errors + count_addrinfo_transient_errors"
        " + count_addrinfo_permanent_errors + count_fcrdns_errors AS name_errors,"
        " count_handshake_errors, count_authentication_errors"
        " FROM performance_schema.host_cache"
        " WHERE sum_connect_errors + count_host_blocked_errors + count_nameinfo_transient_errors"
        " + count_nameinfo_permanent_errors + count_addrinfo_transient_errors + count_addrinfo_permanent_errors"
        " + count_fcrdns_errors + count_handshake_errors + count_authentication_errors > 0"
        f" ORDER BY sum_connect_errors DESC LIMIT {_ROWS}"
    )
    return tuple(
        HostEntry(
            ip=str(row["ip"]),
            host=str(row["host"] or ""),
            connect_errors=int(row["sum_connect_errors"]),
            blocked_attempts=int(row["count_host_blocked_errors"]),
            name_errors=int(row["name_errors"]),
            handshake_errors=int(row["count_handshake_errors"]),
            denied=int(row["count_authentication_errors"]),
        )
        for row in rows
    )
