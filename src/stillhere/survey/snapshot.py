"""What one look at a server showed, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stillhere.server.versions import Flavour, ServerVersion

__all__ = ["OpenTransaction", "Session", "Snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One line of ``SHOW FULL PROCESSLIST``.

    Attributes:
        id: the connection's id.
        user: account name without host; ``event_scheduler``, ``system user`` and ``unauthenticated user`` are the
            server's own words.
        host: the client's host without its port; ``localhost`` for a local socket.
        port: the client's port; 0 where there is none.
        database: default database; empty for none.
        command: ``Sleep``, ``Query``, ``Binlog Dump``, ``Daemon``…
        seconds: for how long it has been in its present state.
        state: the server's word for what it is doing; may be empty.
        statement: the statement that runs, secrets masked, at most 500 characters; empty for none.
    """

    id: int
    user: str
    host: str
    port: int
    database: str
    command: str
    seconds: float
    state: str
    statement: str

    @property
    def idle(self) -> bool:
        """Whether a client holds it and nothing runs on it."""
        return self.command == "Sleep"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """One line of ``information_schema.INNODB_TRX``.

    Attributes:
        thread_id: the connection's id; 0 for a recovered or a prepared XA transaction.
        seconds: for how long it has been open.
        state: ``RUNNING``, ``LOCK WAIT``, ``ROLLING BACK`` or ``COMMITTING``.
        rows_modified: rows that it wrote.
        rows_locked: about how many rows it holds locked.
        statement: the statement that runs in it, secrets masked, at most 500 characters; empty for none.
    """

    thread_id: int
    seconds: float
    state: str
    rows_modified: int
    rows_locked: int
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A server at one moment. What was not asked, or not allowed to be asked, is empty and named in `gaps`.

    Attributes:
        address: as text, without credentials.
        version: family and version.
        version_text: ``VERSION()``, such as ``"10.11.14-MariaDB-0+deb12u2"``.
        taken_at: the server's clock, UTC.
        variables: ``SHOW GLOBAL VARIABLES``, names in lower case.
        session_variables: ``SHOW SESSION VARIABLES`` of the login that asked.
        status: ``SHOW GLOBAL STATUS``, names in lower case.
        sessions: the process list, the asking connection left out; ``None`` where it was not asked. Where
            ``"sessions"`` is in `gaps` it holds the account's own sessions only.
        transactions: InnoDB's open transactions; ``None`` where they could not be asked.
        gaps: what is missing, to the reason, such as ``{"transactions": "needs PROCESS"}``.
    """

    address: str
    version: ServerVersion
    version_text: str
    taken_at: datetime
    variables: Mapping[str, str] = field(default_factory=dict)
    session_variables: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    sessions: tuple[Session, ...] | None = None
    transactions: tuple[OpenTransaction, ...] | None = None
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def mariadb(self) -> bool:
        """Whether it is MariaDB; else it is MySQL or one of its kin."""
        return self.version.flavour is Flavour.MARIADB

    def number(self, name: str) -> float | None:
        """A global variable as a number; ``None`` where the server has none of that name or it is no number."""
        return _number(self.variables.get(name.lower()))

    def count(self, name: str) -> int | None:
        """A status counter; ``None`` where the server has none of that name or it is no number."""
        value = _number(self.status.get(name.lower()))
        return None if value is None else int(value)

    def switched_on(self, name: str) -> bool | None:
        """A global variable that is ON or OFF (or 1 or 0); ``None`` where it is something else or absent."""
        return {"on": True, "1": True, "off": False, "0": False}.get(self.variables.get(name.lower(), "").lower())


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
