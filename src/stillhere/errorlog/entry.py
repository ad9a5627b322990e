"""What one interesting line, or one crash block, of a server's log says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

__all__ = ["FREQUENT", "LIFECYCLE", "TEXT_LIMIT", "Entry", "Kind"]

TEXT_LIMIT = 500
"""The most characters that `Entry.text` has."""


class Kind(Enum):
    """What an entry is about."""

    START = "start"
    """The server says that it starts (or that its process does)."""
    READY = "ready"
    """Ready for connections."""
    SHUTDOWN_BEGUN = "shutdown begun"
    FORCED_CLOSE = "forced close"
    """A shutdown ended a client's connection that had not gone by itself."""
    SHUTDOWN_DONE = "shutdown done"
    CRASH = "crash"
    """A signal, an exception or a failed assertion, with what the dump tells."""
    CRASH_RECOVERY = "crash recovery"
    """The life before this one did not end in order."""
    HANG = "hang"
    """InnoDB waited too long for a latch and ends the server on purpose."""
    OOM_KILL = "out-of-memory kill"
    """The kernel or the service manager says that the server was killed for want of memory."""
    KILLED = "killed"
    """The service manager saw the server die of SIGKILL, for reasons it does not know."""
    ABORTED = "aborted connection"
    """A connection that had logged in ended without the client's goodbye."""
    ABORTED_CONNECT = "aborted connect"
    """A connection ended before it had logged in."""
    IDLE_TIMEOUT = "idle timeout"
    """The server closed an idle connection, and says that this was why."""
    PACKET_TOO_LARGE = "packet too large"
    TOO_MANY_CONNECTIONS = "too many connections"
    THREAD_LIMIT = "thread limit"
    """No thread could be made for a new connection."""
    ACCEPT_FAILED = "accept failed"
    HOST_BLOCKED = "host blocked"
    ACCESS_DENIED = "access denied"
    NAME_RESOLUTION = "name resolution"
    UNAUTHENTICATED = "closed without authentication"
    """Connected, and left in order without logging in: a port check."""
    INSECURE_TRANSPORT = "insecure transport"
    DISK_FULL = "disk full"
    READ_ONLY = "read-only"
    """``read_only`` or ``super_read_only`` was set or reset."""
    ROLE_CHANGE = "role change"
    """Replication or a replication group changed who is who."""
    CLUSTER = "cluster state"
    """A Galera node changed its state or lost the quorum."""
    UPGRADE_REFUSED = "upgrade refused"
    BLOB_OVER_REDO = "BLOB over redo"
    """One BLOB is larger than a tenth of the redo log (5.6 and 5.7)."""
    OTHER = "other"
    """An error that is none of these."""


LIFECYCLE = frozenset(
    {
        Kind.START,
        Kind.READY,
        Kind.SHUTDOWN_BEGUN,
        Kind.SHUTDOWN_DONE,
        Kind.CRASH,
        Kind.CRASH_RECOVERY,
        Kind.HANG,
        Kind.OOM_KILL,
        Kind.KILLED,
    }
)
"""The kinds that tell where a server's life begins and how it ends."""

FREQUENT = frozenset(
    {
        Kind.FORCED_CLOSE,
        Kind.ABORTED,
        Kind.ABORTED_CONNECT,
        Kind.IDLE_TIMEOUT,
        Kind.PACKET_TOO_LARGE,
        Kind.TOO_MANY_CONNECTIONS,
        Kind.THREAD_LIMIT,
        Kind.ACCEPT_FAILED,
        Kind.HOST_BLOCKED,
        Kind.ACCESS_DENIED,
        Kind.NAME_RESOLUTION,
        Kind.UNAUTHENTICATED,
        Kind.INSECURE_TRANSPORT,
        Kind.DISK_FULL,
        Kind.BLOB_OVER_REDO,
        Kind.OTHER,
    }
)
"""The kinds that may come by the million: a summary counts them and keeps a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a log says.

    Attributes:
        kind: what it is about.
        line: the line's number in the log, from 1; 0 where it came from a table.
        at: when, in UTC; ``None`` where the line has no time.
        severity: the log's own word, such as ``"Note"``, ``"Warning"``, ``"ERROR"``, ``"System"``; may be empty.
        code: MySQL 8's code, such as ``"MY-010914"``; empty elsewhere.
        thread_id: the connection's number; 0 where it is unknown.
        user: the account's name; empty where it is unknown.
        host: the client's host or address; empty where it is unknown.
        database: the connection's default schema; empty where there is none.
        reason: why, in the log's words, such as ``"Got timeout reading communication packets"``; may be empty.
        seconds: a length of time that the line names, such as the timeout that was in force; 0.0 where it names none.
        signal: the number of the signal that ended the server; 0 where there was none.
        text: the line without its head, passwords masked, at most `TEXT_LIMIT` characters. A crash's text also has
            the query and the innermost frames.
    """

    kind: Kind
    line: int = 0
    at: datetime | None = None
    severity: str = ""
    code: str = ""
    thread_id: int = 0
    user: str = ""
    host: str = ""
    database: str = ""
    reason: str = ""
    seconds: float = 0.0
    signal: int = 0
    text: str = ""
