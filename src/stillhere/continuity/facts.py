"""What one query right after connecting learns of the server and the session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere.drivers.base import as_text
from stillhere.server.versions import Flavour, parse_version

if TYPE_CHECKING:
    from stillhere.drivers.base import Driver

__all__ = ["UNKNOWN_FACTS", "Facts", "learn", "restarted_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One physical connection, as the server saw it when it was opened.

    Attributes:
        flavour: MySQL or MariaDB.
        identity: what tells this server from every other; empty when it could not be learned.
        thread_id: ours in the processlist.
        user: ours in the processlist; empty when not visible.
        host: ours in the processlist, with the client's port; empty when not visible.
        wait_timeout: the session's own, in seconds; 0 when unknown.
        max_allowed_packet: the session's own, in bytes; 0 when unknown.
        sql_mode: the session's, upper case; empty when unknown.
        uptime: of the server, in seconds; -1 when unknown.
        kills: the server's ``Com_kill`` counter; -1 when unknown.
        own_kills: how many of those the fence of this process had sent by then.
        learned_at: when, on the monotonic clock.
        opening_at: when it began to be opened.
        version: the server's, three numbers; None when unknown.
    """

    flavour: Flavour
    identity: str
    thread_id: int
    user: str
    host: str
    wait_timeout: float
    max_allowed_packet: int
    sql_mode: str
    uptime: int
    kills: int
    learned_at: float
    opening_at: float = 0.0
    own_kills: int = 0
    version: tuple[int, int, int] | None = None


UNKNOWN_FACTS = Facts(
    flavour=Flavour.MYSQL,
    identity="",
    thread_id=0,
    user="",
    host="",
    wait_timeout=0.0,
    max_allowed_packet=0,
    sql_mode="",
    uptime=-1,
    kills=-1,
    learned_at=0.0,
)

_STATUS = "(SELECT VARIABLE_VALUE FROM {schema}.{table} WHERE VARIABLE_NAME = '{name}')"
_QUERY = (
    "SELECT @@session.wait_timeout, @@session.max_allowed_packet, CONNECTION_ID(), @@session.sql_mode,"
    " {identity}, {uptime}, {kills}, USER, HOST FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()"
)


def _query(flavour: Flavour) -> bytes:
    if flavour is Flavour.MARIADB:
        identity, schema, table = (
            "CONCAT_WS(':', @@server_id, @@hostname, @@datadir)",
            "information_schema",
            "GLOBAL_STATUS",
        )
    else:
        identity, schema, table = "@@server_uuid", "performance_schema", "global_status"
    return _QUERY.format(
        identity=identity,
        uptime=_STATUS.format(schema=schema, table=table, name="Uptime"),
        kills=_STATUS.format(schema=schema, table=table, name="Com_kill"),
    ).encode()


_QUERIES = {flavour: _query(flavour) for flavour in Flavour}
_PLAIN_QUERY = b"SELECT @@session.wait_timeout, @@session.max_allowed_packet, CONNECTION_ID(), @@session.sql_mode"


def learn(driver: Driver, connection: Any, opening_at: float = 0.0) -> Facts:
    """Ask the server about itself and this session: one round trip.

    A server that refuses the full question (an old one, or one whose status tables are closed to the
    account) is asked the plain part alone; then the rest stays unknown.

    Args:
        driver: of the connection.
        connection: a physical one, just opened.
        opening_at: when that began, on the monotonic clock.
    """
    version = parse_version(driver.server_version(connection))
    flavour = version.flavour
    try:
        row = driver.fetch(connection, _QUERIES[flavour])[0]
    except (driver.dbapi.Error, IndexError) as error:
        if isinstance(error, driver.dbapi.Error) and driver.errno(error) in range(2000, 3000):
            raise
        row = (*driver.fetch(connection, _PLAIN_QUERY)[0], "", -1, -1, "", "")
    wait_timeout, max_packet, thread_id, sql_mode, identity, uptime, kills, user, host = row
    return Facts(
        flavour=flavour,
        identity=as_text(identity),
        thread_id=int(thread_id),
        user=as_text(user),
        host=as_text(host),
        wait_timeout=float(wait_timeout),
        max_allowed_packet=int(max_packet),
        sql_mode=as_text(sql_mode).upper(),
        uptime=_number(uptime),
        kills=_number(kills),
        learned_at=time.monotonic(),
        opening_at=opening_at,
        version=version.number,
    )


def restarted_between(before: Facts, after: Facts, *, sure: bool = False) -> bool | None:
    """Whether the server of ``before`` was started again before ``after``; None when that can't be known.

    Args:
        before: of the earlier connection.
        after: of the later one.
        sure: whether to answer None, not False, where a start in between would have left the same numbers: so it is
            with a server that had run for no more than three seconds before, since its clock counts whole ones. Who
            explains a loss wants to be sure; who obeys a KILL would rather obey once too often.

    Thread ids start again from the bottom with the server, and are never given twice within one life. But two
    connections that were opened side by side may have learned of themselves in the other order, and the one that
    lays a ghost may be the older of the two: a lower number proves something only where it was asked for after the
    higher one was given.
    """
    if not before.identity or before.identity != after.identity:
        return None
    elapsed = after.learned_at - before.learned_at
    if after.thread_id <= before.thread_id and after.opening_at > before.learned_at:
        return True
    if before.uptime < 0 or after.uptime < 0:
        return None
    if after.uptime + 2 < before.uptime + elapsed:
        return True
    return None if sure and after.uptime <= elapsed + 1 else False


def _number(value: Any) -> int:
    return -1 if value is None else int(value)
