"""The one table of error codes: what a code says about a connection, a statement and a transaction.

Drivers extract the number and keep no list of their own; text is never matched, because MySQL's and
MariaDB's client libraries word the same error differently under the same driver. Some numbers mean
different things on the two families (4031), so every question names the flavour; ``None`` is for the
moment before the server has said who it is, and gives the cautious answer.

Numbers 2000 to 2999 are made up by the client library and never come from a server.

References: "Server Error Message Reference" and "Client Error Message Reference" of the MySQL manual,
"MariaDB Error Codes" of the MariaDB knowledge base.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

from stillhere.server.versions import Flavour

__all__ = [
    "NOT_CONNECTED",
    "ErrorCode",
    "Fact",
    "denied",
    "is_loss",
    "lookup",
    "never_retry_at_connect",
    "number",
    "packet_too_large",
    "proves_not_executed",
    "read_only",
    "rolled_back",
    "run_again",
    "server_errors",
    "spoils_replay",
    "statement_limit",
    "symbol",
    "waitable_at_connect",
]

NOT_CONNECTED = 0
"""The code of ``InterfaceError (0, '')`` and ``(0, 'Not connected')``: PyMySQL, asyncmy and aiomysql say so
on a connection that they closed after an earlier error. A loss; nothing was sent, but see
`DriverTraits`: that is for the driver to prove."""


class Fact(Flag):
    """What a code says. Absent means "not known to"."""

    NONE = 0
    LOSS = auto()
    """The physical connection can't be used any more."""
    NOT_EXECUTED = auto()
    """When a server replies with it, it did not execute, or rolled back, the statement that it answers."""
    UNSOLICITED = auto()
    """The server sends it only on an idle connection, so that it can't answer a statement in flight."""
    WAITABLE = auto()
    """At connect: the server or the way to it may come back by itself."""
    FINAL = auto()
    """At connect: no waiting mends it, and asking again may lock the account or the host out."""
    LIMIT = auto()
    """One statement was stopped by a limit or on request; the connection is fine."""
    ROLLED_BACK = auto()
    """The server rolled the whole transaction back."""
    SPOILS = auto()
    """In a journal: what the statement left behind can't be told, so that a replay proves nothing."""
    PACKET = auto()
    """Larger than a packet may be."""
    AGAIN = auto()
    """Nothing of the transaction that met it is committed, and the whole of it may succeed when it is run again."""
    DENIED = auto()
    """The account lacks a right for this one statement."""
    READ_ONLY = auto()
    """The server, the session or the transaction refuses writes: after a failover, the old address."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One line of the table.

    Attributes:
        code: the number.
        name: its symbol in the servers' or the client library's sources, as in the manuals.
        facts: what it says.
        flavour: the only family in which the number has this meaning; ``None`` for both.
    """

    code: int
    name: str
    facts: Fact = Fact.NONE
    flavour: Flavour | None = None

    @property
    def client_side(self) -> bool:
        """Whether the client library made it up: it then says nothing about what the server did."""
        return 2000 <= self.code <= 2999 or self.code == NOT_CONNECTED  # noqa: PLR2004 - the documented range


_MYSQL, _MARIADB = Flavour.MYSQL, Flavour.MARIADB
_GONE = Fact.LOSS | Fact.NOT_EXECUTED

_TABLE = (
    # The connection is lost.
    ErrorCode(NOT_CONNECTED, "NOT_CONNECTED", Fact.LOSS),
    # A shutdown's reply, on connections that still look alive; at connect, the restart will end.
    ErrorCode(1053, "ER_SERVER_SHUTDOWN", _GONE | Fact.WAITABLE | Fact.AGAIN),
    # Left unread on an idle connection by KILL; one in flight has its socket shut and reads 2013 instead.
    ErrorCode(1927, "ER_CONNECTION_KILLED", _GONE, _MARIADB),
    ErrorCode(3169, "ER_SESSION_WAS_KILLED", Fact.LOSS, _MYSQL),
    # MySQL 8.0.24 and later: sent before an idle connection is closed. On MariaDB the number is
    # ER_REFERENCED_TRG_DOES_NOT_EXIST, an error in CREATE TRIGGER.
    ErrorCode(4031, "ER_CLIENT_INTERACTION_TIMEOUT", _GONE | Fact.UNSOLICITED, _MYSQL),
    ErrorCode(4031, "ER_REFERENCED_TRG_DOES_NOT_EXIST", Fact.NONE, _MARIADB),
    # The server read or wrote a packet only in part and gives up the connection; 1158 to 1161 may have been
    # written after the statement ran, so that they prove nothing.
    ErrorCode(1152, "ER_ABORTING_CONNECTION", Fact.LOSS),
    ErrorCode(1156, "ER_NET_PACKETS_OUT_OF_ORDER", Fact.LOSS),
    ErrorCode(1158, "ER_NET_READ_ERROR", Fact.LOSS),
    ErrorCode(1159, "ER_NET_READ_INTERRUPTED", Fact.LOSS),
    ErrorCode(1160, "ER_NET_ERROR_ON_WRITE", Fact.LOSS),
    ErrorCode(1161, "ER_NET_WRITE_INTERRUPTED", Fact.LOSS),
    ErrorCode(1184, "ER_NEW_ABORTING_CONNECTION", Fact.LOSS),
    ErrorCode(2006, "CR_SERVER_GONE_ERROR", Fact.LOSS | Fact.WAITABLE),
    ErrorCode(2013, "CR_SERVER_LOST", Fact.LOSS | Fact.WAITABLE),
    ErrorCode(2014, "CR_COMMANDS_OUT_OF_SYNC", Fact.LOSS),
    # TLS failures in mid-life are cuts (mysqlclient reports even an idle KILL so); at connect they are a
    # certificate or a protocol version, which stays.
    ErrorCode(2026, "CR_SSL_CONNECTION_ERROR", Fact.LOSS | Fact.FINAL),
    ErrorCode(2027, "CR_MALFORMED_PACKET", Fact.LOSS),
    ErrorCode(2045, "CR_SHARED_MEMORY_CONNECT_ABANDONED_ERROR", Fact.LOSS),
    ErrorCode(2048, "CR_INVALID_CONN_HANDLE", Fact.LOSS),
    ErrorCode(2055, "CR_SERVER_LOST_EXTENDED", Fact.LOSS | Fact.WAITABLE),
    # Can't connect now: the server, or the way to it, may come back.
    ErrorCode(1040, "ER_CON_COUNT_ERROR", Fact.WAITABLE | Fact.AGAIN),
    ErrorCode(1041, "ER_OUT_OF_RESOURCES", Fact.WAITABLE),
    # Galera: "WSREP has not yet prepared node for application use", by the number of an unknown command; the
    # connection lives. A COMMIT in flight when the node leaves the cluster may be answered so: no proof.
    ErrorCode(1047, "ER_UNKNOWN_COM_ERROR", Fact.WAITABLE),
    ErrorCode(1135, "ER_CANT_CREATE_THREAD", Fact.WAITABLE | Fact.AGAIN),
    ErrorCode(1203, "ER_TOO_MANY_USER_CONNECTIONS", Fact.WAITABLE | Fact.AGAIN),
    # An account's own MAX_USER_CONNECTIONS, which frees itself; its number is also that of the limits
    # per hour, for which the wait is in vain and harmless.
    ErrorCode(1226, "ER_USER_LIMIT_REACHED", Fact.WAITABLE),
    ErrorCode(2001, "CR_SOCKET_CREATE_ERROR", Fact.WAITABLE | Fact.AGAIN),
    ErrorCode(2002, "CR_CONNECTION_ERROR", Fact.WAITABLE | Fact.AGAIN),
    ErrorCode(2003, "CR_CONN_HOST_ERROR", Fact.WAITABLE | Fact.AGAIN),
    # A name that doesn't resolve: a failover's DNS record or a container's name is often absent for seconds.
    # A misspelt one costs one ride-through before its error is seen.
    ErrorCode(2005, "CR_UNKNOWN_HOST", Fact.WAITABLE | Fact.AGAIN),
    # 2012 is the server's greeting cut short by the client's connect timeout.
    ErrorCode(2012, "CR_SERVER_HANDSHAKE_ERR", Fact.WAITABLE | Fact.AGAIN),
    # At connect, and on the next statement of a session older than the offline mode.
    ErrorCode(3032, "ER_SERVER_OFFLINE_MODE", Fact.LOSS | Fact.WAITABLE),
    # Can't connect, and waiting changes nothing.
    # 1129 is a blocked host: every further attempt keeps it blocked.
    ErrorCode(1042, "ER_BAD_HOST_ERROR", Fact.FINAL),
    ErrorCode(1043, "ER_HANDSHAKE_ERROR", Fact.FINAL),
    ErrorCode(1044, "ER_DBACCESS_DENIED_ERROR", Fact.FINAL | Fact.DENIED),
    ErrorCode(1045, "ER_ACCESS_DENIED_ERROR", Fact.FINAL),
    ErrorCode(1049, "ER_BAD_DB_ERROR", Fact.FINAL),
    ErrorCode(1129, "ER_HOST_IS_BLOCKED", Fact.FINAL),
    ErrorCode(1130, "ER_HOST_NOT_PRIVILEGED", Fact.FINAL),
    ErrorCode(1251, "ER_NOT_SUPPORTED_AUTH_MODE", Fact.FINAL),
    ErrorCode(1275, "ER_SERVER_IS_IN_SECURE_AUTH_MODE", Fact.FINAL),
    ErrorCode(1524, "ER_PLUGIN_IS_NOT_LOADED", Fact.FINAL),
    ErrorCode(1698, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR", Fact.FINAL),
    ErrorCode(1820, "ER_MUST_CHANGE_PASSWORD", Fact.FINAL),
    ErrorCode(1862, "ER_MUST_CHANGE_PASSWORD_LOGIN", Fact.FINAL),
    ErrorCode(2007, "CR_VERSION_ERROR", Fact.FINAL),
    ErrorCode(2019, "CR_CANT_READ_CHARSET", Fact.FINAL),
    ErrorCode(2049, "CR_SECURE_AUTH", Fact.FINAL),
    ErrorCode(2054, "CR_NOT_IMPLEMENTED", Fact.FINAL),
    ErrorCode(2059, "CR_AUTH_PLUGIN_CANNOT_LOAD", Fact.FINAL),
    ErrorCode(2060, "CR_DUPLICATE_CONNECTION_ATTR", Fact.FINAL),
    ErrorCode(2061, "CR_AUTH_PLUGIN_ERR", Fact.FINAL),
    ErrorCode(3118, "ER_ACCOUNT_HAS_BEEN_LOCKED", Fact.FINAL, _MYSQL),
    # MariaDB has it since 11.4; before, it answers 1045.
    ErrorCode(3159, "ER_SECURE_TRANSPORT_REQUIRED", Fact.FINAL),
    ErrorCode(3955, "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK", Fact.FINAL, _MYSQL),
    ErrorCode(4150, "ER_USER_IS_BLOCKED", Fact.FINAL, _MARIADB),
    ErrorCode(4151, "ER_ACCOUNT_HAS_BEEN_LOCKED", Fact.FINAL, _MARIADB),
    # One statement was stopped; the connection is fine. How far it came can't be told: not replayable.
    ErrorCode(1317, "ER_QUERY_INTERRUPTED", Fact.LIMIT | Fact.SPOILS),
    ErrorCode(1969, "ER_STATEMENT_TIMEOUT", Fact.LIMIT | Fact.SPOILS, _MARIADB),
    ErrorCode(3024, "ER_QUERY_TIMEOUT", Fact.LIMIT | Fact.SPOILS, _MYSQL),
    # The statement alone is rolled back; with innodb_rollback_on_timeout the transaction: `rolled_back`.
    ErrorCode(1205, "ER_LOCK_WAIT_TIMEOUT", Fact.SPOILS | Fact.AGAIN),
    # NOWAIT found a lock. Rolled back alone, at once; but whether it meets the lock again is chance.
    ErrorCode(3572, "ER_LOCK_NOWAIT", Fact.SPOILS | Fact.AGAIN, _MYSQL),
    # The transaction was rolled back by the server.
    ErrorCode(1206, "ER_LOCK_TABLE_FULL", Fact.ROLLED_BACK | Fact.AGAIN),
    ErrorCode(1213, "ER_LOCK_DEADLOCK", Fact.ROLLED_BACK | Fact.AGAIN),
    ErrorCode(1402, "ER_XA_RBROLLBACK", Fact.ROLLED_BACK | Fact.AGAIN),
    ErrorCode(1613, "ER_XA_RBTIMEOUT", Fact.ROLLED_BACK | Fact.AGAIN),
    ErrorCode(1614, "ER_XA_RBDEADLOCK", Fact.ROLLED_BACK | Fact.AGAIN),
    ErrorCode(3101, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT", Fact.ROLLED_BACK | Fact.AGAIN, _MYSQL),
    # Too large. The server replies 1153 and closes; the client library's own limit is 2020.
    ErrorCode(1153, "ER_NET_PACKET_TOO_LARGE", Fact.LOSS | Fact.NOT_EXECUTED | Fact.PACKET),
    ErrorCode(2020, "CR_NET_PACKET_TOO_LARGE", Fact.LOSS | Fact.PACKET),
    # Refused for want of room; the connection lives. The second is also what 5.6 and 5.7 say of a BLOB that is
    # larger than a tenth of the redo log.
    ErrorCode(1021, "ER_DISK_FULL"),
    ErrorCode(1118, "ER_TOO_BIG_ROWSIZE"),
    # Refused to this account, statement by statement. 1044, above, also ends a connection that is being made.
    ErrorCode(1142, "ER_TABLEACCESS_DENIED_ERROR", Fact.DENIED),
    ErrorCode(1143, "ER_COLUMNACCESS_DENIED_ERROR", Fact.DENIED),
    ErrorCode(1227, "ER_SPECIFIC_ACCESS_DENIED_ERROR", Fact.DENIED),
    ErrorCode(1370, "ER_PROCACCESS_DENIED_ERROR", Fact.DENIED),
    # Writes refused. 1290 is any option's refusal; --read-only is the usual one.
    ErrorCode(1290, "ER_OPTION_PREVENTS_STATEMENT", Fact.READ_ONLY),
    ErrorCode(1792, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION", Fact.READ_ONLY),
    ErrorCode(1836, "ER_READ_ONLY_MODE", Fact.READ_ONLY),
)


def _index() -> dict[int, tuple[ErrorCode, ...]]:
    index: dict[int, tuple[ErrorCode, ...]] = {}
    for line in _TABLE:
        before = index.get(line.code, ())
        if any(other.flavour in (None, line.flavour) or line.flavour is None for other in before):
            raise ValueError(f"error code {line.code} is listed twice")
        index[line.code] = (*before, line)
    return index


_BY_CODE = _index()
_BY_NAME = {line.name: line.code for line in _TABLE}


def lookup(code: int, flavour: Flavour | None) -> ErrorCode | None:
    """The code's line for that family.

    With ``None`` for a flavour, a number that only one family uses in the table is taken for that one, and
    a number that the families use differently is unknown.
    """
    lines = _BY_CODE.get(code, ())
    if flavour is not None:
        lines = tuple(line for line in lines if line.flavour in (None, flavour))
    return lines[0] if len(lines) == 1 else None


def symbol(code: int, flavour: Flavour | None) -> str:
    """The code's name in that family, such as ``"ER_CON_COUNT_ERROR"``; empty where the table doesn't know it."""
    line = lookup(code, flavour)
    return "" if line is None else line.name


def number(name: str) -> int:
    """The code of that name in the table; a name that isn't in it is a ``KeyError``."""
    return _BY_NAME[name]


def _has(code: int, flavour: Flavour | None, fact: Fact) -> bool:
    line = lookup(code, flavour)
    return line is not None and fact in line.facts


def is_loss(code: int, flavour: Flavour | None) -> bool:
    """Whether the physical connection is unusable after this error, in any phase but CONNECT."""
    return _has(code, flavour, Fact.LOSS)


def proves_not_executed(code: int, flavour: Flavour | None, *, atomic: bool = True) -> bool:
    """Whether a server's *reply* of this code proves that nothing of the statement took effect.

    Args:
        code: from an ERR packet. A code that a client library made up proves nothing here.
        flavour: the server's family.
        atomic: whether the statement takes effect as a whole or not at all. CALL, several statements in
            one text, and writes to non-transactional tables may have done a part before the server stopped
            them; then only a code that can't answer a statement in flight is a proof.
    """
    line = lookup(code, flavour)
    if line is None or Fact.NOT_EXECUTED not in line.facts:
        return False
    return atomic or Fact.UNSOLICITED in line.facts or Fact.PACKET in line.facts


def waitable_at_connect(code: int, flavour: Flavour | None) -> bool:
    """Whether waiting may mend it at connect."""
    return _has(code, flavour, Fact.WAITABLE)


def never_retry_at_connect(code: int, flavour: Flavour | None) -> bool:
    """Whether it is known that waiting mends nothing at connect. Unknown codes are neither."""
    return _has(code, flavour, Fact.FINAL)


def statement_limit(code: int, flavour: Flavour | None) -> bool:
    """Whether one statement was stopped by a limit or on request, and the connection lives."""
    return _has(code, flavour, Fact.LIMIT)


def rolled_back(code: int, flavour: Flavour | None, *, rollback_on_timeout: bool = False) -> bool:
    """Whether the server rolled the whole transaction back with this error.

    Args:
        code: from an ERR packet.
        flavour: the server's family.
        rollback_on_timeout: the server's ``innodb_rollback_on_timeout``.
    """
    return _has(code, flavour, Fact.ROLLED_BACK) or (code == _LOCK_WAIT_TIMEOUT and rollback_on_timeout)


def run_again(code: int, flavour: Flavour | None = None) -> bool:
    """Whether a unit of work that met it may be run again as a whole: nothing of its transaction was committed."""
    return _has(code, flavour, Fact.AGAIN)


def spoils_replay(code: int, flavour: Flavour | None = None) -> bool:
    """Whether a journaled statement that ended so makes its transaction not replayable."""
    return _has(code, flavour, Fact.SPOILS)


def server_errors(flavour: Flavour) -> tuple[ErrorCode, ...]:
    """The lines of the table whose errors a server of that family raises itself."""
    return tuple(line for line in _TABLE if not line.client_side and line.flavour in (None, flavour))


def packet_too_large(code: int, flavour: Flavour | None = None) -> bool:
    """Whether the statement or the row was larger than a packet may be."""
    return _has(code, flavour, Fact.PACKET)


def denied(code: int, flavour: Flavour | None = None) -> bool:
    """Whether the account lacks a right for this one statement; the connection is fine."""
    return _has(code, flavour, Fact.DENIED)


def read_only(code: int, flavour: Flavour | None = None) -> bool:
    """Whether a write was refused because server, session or transaction are read-only."""
    return _has(code, flavour, Fact.READ_ONLY)


_LOCK_WAIT_TIMEOUT = 1205
