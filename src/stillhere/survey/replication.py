"""What the server replicates from, and its group: ``SHOW REPLICA STATUS``, ``replication_group_members``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask

__all__ = ["GroupMember", "Replica", "group_members", "replicas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One source that the server replicates from.

    Attributes:
        channel: its name; empty for the only one.
        source: the source's host and port.
        receiving: whether the receiver thread runs; false as well while it tries to connect.
        applying: whether the applier threads run.
        lag: seconds behind the source, as the server reckons it; ``None`` where it can't tell.
        error: the last error's number and text; empty for none.
    """

    channel: str
    source: str
    receiving: bool
    applying: bool
    lag: float | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """One member of a MySQL replication group, as this server sees it.

    Attributes:
        id: its ``server_uuid``.
        address: host and port.
        state: ``ONLINE``, ``RECOVERING``, ``OFFLINE``, ``ERROR`` or ``UNREACHABLE``.
        role: ``PRIMARY`` or ``SECONDARY``; empty where the server doesn't say.
    """

    id: str
    address: str
    state: str
    role: str


def replicas(ask: Ask, snapshot: Snapshot) -> tuple[Replica, ...]:
    """The sources that this server replicates from; none where it is no replica.

    Raises:
        NotAllowed: needs REPLICATION CLIENT, on MariaDB from 10.5 REPLICA MONITOR.
    """
    if snapshot.mariadb:
        rows = ask("SHOW ALL SLAVES STATUS")
    elif snapshot.version.at_least(mysql=(8, 0, 22), mariadb=None):
        rows = ask("SHOW REPLICA STATUS")
    else:
        rows = ask("SHOW SLAVE STATUS")
    return tuple(_replica(row) for row in rows)


def group_members(ask: Ask, snapshot: Snapshot) -> tuple[GroupMember, ...]:
    """The members of the server's group; none where it is in none, or on MariaDB.

    Raises:
        NotAllowed: the account may not read it.
    """
    if not snapshot.variables.get("group_replication_group_name"):
        return ()
    rows = ask("SELECT * FROM performance_schema.replication_group_members WHERE member_id <> ''")
    return tuple(
        GroupMember(
            id=str(row["member_id"]),
            address=f"{row['member_host']}:{row['member_port']}",
            state=str(row["member_state"]),
            role=str(row.get("member_role") or ""),
        )
        for row in rows
    )


def _replica(row: Any) -> Replica:
    def either(new: str, old: str) -> Any:
        return row.get(new, row.get(old))

    lag = either("seconds_behind_source", "seconds_behind_master")
    number, text = row.get("last_io_errno") or row.get("last_sql_errno"), ""
    if number:
        text = f"{number} {row.get('last_io_error') or row.get('last_sql_error') or ''}".strip()
    return Replica(
        channel=str(row.get("channel_name") or row.get("connection_name") or ""),
        source=f"{either('source_host', 'master_host')}:{either('source_port', 'master_port')}",
        receiving=str(either("replica_io_running", "slave_io_running")) == "Yes",
        applying=str(either("replica_sql_running", "slave_sql_running")) == "Yes",
        lag=None if lag is None else float(lag),
        error=text[:200],
    )
