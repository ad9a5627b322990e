"""What the server noted about tables: InnoDB's statistics, how often indexes were used, and how its last life ended.

Sources: "Configuring Persistent Optimizer Statistics Parameters", "The table_io_waits_summary_by_index_usage Table" and
"The error_log Table" in the MySQL manual.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stillhere.survey.schema import moment, require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.tables import Key
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["Statistics", "UncleanStart", "index_use", "statistics", "unclean_start"]

_STARTING, _STOPPED = "MY-010116", "MY-010910"  # "… starting as process", "… Shutdown complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """InnoDB's stored statistics of one table.

    Attributes:
        rows: how many it had.
        updated: when, UTC.
    """

    rows: int
    updated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UncleanStart:
    """The server's present life began without an end of the one before.

    Attributes:
        at: when it started, UTC.
        source: where that was read.
    """

    at: datetime | None
    source: str


def statistics(ask: Ask) -> dict[Key, Statistics]:
    """The stored statistics, by table.

    Raises:
        NotAllowed: needs SELECT on ``mysql.innodb_table_stats``.
    """
    rows = ask(
        "SELECT database_name, table_name, n_rows, UNIX_TIMESTAMP(last_update) AS updated FROM mysql.innodb_table_stats"
    )
    return {
        (str(row["database_name"]), str(row["table_name"])): Statistics(
            rows=int(row["n_rows"]), updated=moment(row["updated"])
        )
        for row in rows
        if "#" not in str(row["table_name"])  # partitions
    }


def index_use(ask: Ask, snapshot: Snapshot) -> dict[tuple[Key, str], int]:
    """How often each index was used since the server started; a table's own uses stand under an empty name.

    Raises:
        NotAllowed: the account may not read it, or performance_schema is off.
    """
    require_performance_schema(snapshot)
    rows = ask(
        "SELECT object_schema AS s, object_name AS t, index_name AS i, count_star AS n"
        " FROM performance_schema.table_io_waits_summary_by_index_usage WHERE object_type = 'TABLE'"
    )
    return {((str(row["s"]), str(row["t"])), str(row["i"] or "")): int(row["n"]) for row in rows}


def unclean_start(ask: Ask, snapshot: Snapshot) -> UncleanStart | None:
    """Whether the life before this one ended without a shutdown; ``None`` where it ended in order.

    Raises:
        NotAllowed: needs SELECT on performance_schema.error_log; only MySQL 8.0.22 and later has it.
    """
    if not snapshot.version.at_least(mysql=(8, 0, 22), mariadb=None):
        raise NotAllowed(f"{snapshot.version} doesn't show its error log to queries")
    rows = ask(
        "SELECT UNIX_TIMESTAMP(logged) AS at, error_code AS code FROM performance_schema.error_log"  # noqa: S608 - codes of ours
        f" WHERE error_code IN ('{_STARTING}', '{_STOPPED}') ORDER BY logged DESC LIMIT 2"
    )
    if len(rows) == 2 and all(row["code"] == _STARTING for row in rows):  # noqa: PLR2004 - this start and what came before
        return UncleanStart(at=moment(rows[0]["at"]), source="performance_schema.error_log")
    return None
