"""Asking for a snapshot, over whatever connection the caller has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from stillhere.masking import mask_sql
from stillhere.server.versions import parse_version
from stillhere.survey.snapshot import OpenTransaction, Session, Snapshot

__all__ = ["Ask", "NotAllowed", "Row", "take"]

Row = Mapping[str, Any]
"""One row: column names in lower case; texts as ``str``, never ``bytes``."""

_SHOWN = 500  # characters of a statement


class NotAllowed(Exception):
    """The account may not ask this. The first of ``args`` says what is missing, such as ``"needs PROCESS"``."""


class Ask(Protocol):
    """Runs one statement."""

    def __call__(self, sql: str, /) -> list[Row]:
        """The rows of a statement; none for one without a result.

        Raises:
            NotAllowed: the account lacks a right.
            Exception: the driver's own, for everything else.
        """
        ...


def take(
    ask: Ask,
    address: str,
    *,
    sessions: bool = True,
    transactions: bool = True,
    variables: Collection[str] | None = None,
    counters: Collection[str] | None = None,
) -> Snapshot:
    """Look at a server once: six statements, none of which reads a table of the application's.

    Args:
        ask: runs a statement on a connection in autocommit mode.
        address: the server's, as text, without credentials.
        sessions: whether to ask for the process list.
        transactions: whether to ask for the open transactions.
        variables: the global variables that are wanted, those of the session then being left out; all by default.
        counters: the status counters that are wanted; all by default.

    Raises:
        Exception: the driver's own, where the connection fails; a missing right is a gap, not an error.
    """
    gaps: dict[str, str] = {}
    who = ask("SELECT VERSION() AS version, UTC_TIMESTAMP(6) AS now, CONNECTION_ID() AS id")[0]
    open_transactions = _transactions(ask, gaps) if transactions or sessions else None
    if sessions and "transactions" in gaps:
        gaps["sessions"] = f"{gaps['transactions']}: shows the account's own only"
    return Snapshot(
        address=address,
        version=parse_version(str(who["version"])),
        version_text=str(who["version"]),
        taken_at=_utc(who["now"]),
        variables=_pairs(ask("SHOW GLOBAL VARIABLES" + _only(variables))),
        session_variables=_pairs(ask("SHOW SESSION VARIABLES")) if variables is None else {},
        status=_pairs(ask("SHOW GLOBAL STATUS" + _only(counters))),
        sessions=_sessions(ask, int(who["id"])) if sessions else None,
        transactions=open_transactions if transactions else None,
        gaps=gaps,
    )


def _only(names: Collection[str] | None) -> str:
    """The names are this package's own, and names of variables are plain words."""
    if names is None:
        return ""
    return " WHERE Variable_name IN ({})".format(", ".join(f"'{name}'" for name in sorted(names)))


def _pairs(rows: list[Row]) -> dict[str, str]:
    return {str(row["variable_name"]).lower(): str(row["value"]) for row in rows}


def _sessions(ask: Ask, own: int) -> tuple[Session, ...]:
    return tuple(_session(row) for row in ask("SHOW FULL PROCESSLIST") if int(row["id"]) != own)


def _session(row: Row) -> Session:
    host, _, port = str(row["host"] or "").rpartition(":")
    if not port.isdecimal():
        host, port = str(row["host"] or ""), "0"
    return Session(
        id=int(row["id"]),
        user=str(row["user"] or ""),
        host=host.strip("[]"),
        port=int(port),
        database=str(row["db"] or ""),
        command=str(row["command"] or ""),
        seconds=max(0.0, float(row["time"] or 0)),
        state=str(row["state"] or ""),
        statement=_statement(row["info"]),
    )


def _transactions(ask: Ask, gaps: dict[str, str]) -> tuple[OpenTransaction, ...] | None:
    try:
        rows = ask(
            "SELECT trx_mysql_thread_id AS id, TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)) / 1000000 AS seconds,"
            " trx_state AS state, trx_rows_modified AS modified, trx_rows_locked AS locked, trx_query AS statement"
            " FROM information_schema.INNODB_TRX"
        )
    except NotAllowed as error:
        gaps["transactions"] = str(error)
        return None
    return tuple(
        OpenTransaction(
            thread_id=int(row["id"] or 0),
            seconds=max(0.0, float(row["seconds"] or 0)),
            state=str(row["state"]),
            rows_modified=int(row["modified"] or 0),
            rows_locked=int(row["locked"] or 0),
            statement=_statement(row["statement"]),
        )
        for row in rows
    )


def _statement(value: Any) -> str:
    return mask_sql(str(value))[:_SHOWN] if value else ""


def _utc(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC)
