"""What several causes have in common: what to do, and what to collect."""

from __future__ import annotations

from stillhere.findings import Remedy

__all__ = ["ASK_KILLS", "ASK_LIMITS", "ASK_LOG", "ASK_UPTIME", "connection_died_in_the_pool", "server_came_back"]

ASK_LIMITS = (
    "SHOW SESSION VARIABLES LIKE '%timeout%' on a connection that the application opened, beside its pool_recycle and"
    " pool_pre_ping"
)
ASK_LOG = (
    "the server's error log around the moment of the loss (MySQL 8.0.22 and later: SELECT * FROM"
    " performance_schema.error_log)"
)
ASK_UPTIME = "SHOW GLOBAL STATUS LIKE 'Uptime': is the server younger than the lost connection?"
ASK_KILLS = "SHOW GLOBAL STATUS LIKE 'Com_kill', before and after"

_SHARE = 0.9
_LEAST = 1


def connection_died_in_the_pool(limit: float | None) -> Remedy:
    """For a connection that idles in a pool until somebody closes it.

    Args:
        limit: after how many seconds of idleness it is closed; ``None`` where that isn't known.
    """
    if limit is None:
        return Remedy(
            "Look at a pooled connection before it is used. The stillhere plugin does, without a round trip, and"
            " replaces"
            " it before it comes near its wait_timeout: with it there is nothing to do.",
            ("create_engine(url + '?plugin=stillhere')", "create_engine(url, pool_pre_ping=True)"),
            "pool_pre_ping costs a round trip at each checkout, and does nothing after the checkout",
        )
    recycle = max(_LEAST, int(limit * _SHARE))
    return Remedy(
        f"Replace a pooled connection before it has been idle for {limit:g} s. The stillhere plugin does: with it"
        " there is"
        f" nothing to do. Without it: pool_pre_ping, and a pool_recycle below {limit:g} s.",
        (
            "create_engine(url + '?plugin=stillhere')",
            f"create_engine(url, pool_pre_ping=True, pool_recycle={recycle})",
        ),
        "pool_pre_ping costs a round trip at each checkout; pool_recycle counts a connection's age at checkout, not"
        " how long"
        " it idled",
    )


def server_came_back(planned: str) -> Remedy:
    """For connections that ended with the server's life.

    Args:
        planned: what to do about the end itself; one or two sentences.
    """
    return Remedy(
        f"{planned} Clients lose every connection with it: the stillhere plugin waits for the server (ride_through,"
        " 10 s)"
        " and continues what can be continued.",
        ("create_engine(url + '?plugin=stillhere&stillhere.ride_through=30s')",),
    )
