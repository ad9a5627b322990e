"""What a check sees: one server, the applications that use it, and what the user told. Frozen, nothing asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from stillhere.doctor.engines import EngineFacts
from stillhere.doctor.idling import IdleLimit
from stillhere.errorlog.summary import Summary
from stillhere.events import Incident
from stillhere.survey.account_use import AccountUse
from stillhere.survey.digests import Digest
from stillhere.survey.error_counts import ErrorCount
from stillhere.survey.host_cache import HostEntry
from stillhere.survey.own_account import OwnAccount
from stillhere.survey.replication import GroupMember, Replica
from stillhere.survey.snapshot import Snapshot

__all__ = ["Case", "Need", "Settings"]

HOUR = 3600.0


class Need(Enum):
    """A part of a case that may be missing. The value is its key in `Case.gaps`."""

    SESSIONS = "sessions"
    """Everybody's sessions."""
    TRANSACTIONS = "transactions"
    """InnoDB's open transactions."""
    HOSTS = "hosts"
    """Failed connections by host."""
    ACCOUNTS = "accounts"
    """Connections by account."""
    DIGESTS = "digests"
    """The longest statements."""
    ERRORS = "errors"
    """Errors that the server counted."""
    REPLICAS = "replicas"
    """What the server replicates from."""
    MEMBERS = "members"
    """The members of its group."""
    ACCOUNT = "account"
    """The limits of the account that asks."""
    ENGINES = "engines"
    """The application's engines."""
    MEMORY = "memory"
    """The memory of the server's machine."""
    IDLE = "idle"
    """How long an idle connection was seen to last."""
    LOG = "log"
    """The server's error log."""
    INCIDENTS = "incidents"
    """The losses that applications under stillhere recorded on this machine."""
    LOGIN = "login"
    """How long a login takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What only the user knows.

    Attributes:
        processes: how many processes run each of the application's engines.
        hop_idle: seconds of idleness after which something on the way is known to drop connections; ``None`` for
            nothing known.
        memory: bytes of memory that the server may use; ``None`` where neither told nor found.
    """

    processes: int = 1
    hop_idle: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One server as it was found.

    Attributes:
        snapshot: variables, status, sessions, transactions.
        login_seconds: how long connecting took; ``None`` where it was not measured.
        hosts, accounts, digests, errors, replicas, members, account: answers to further questions; empty where a
            question has no answer, with the reason in `gaps`.
        engines: the application's engines that lead to this server.
        idle: how long idle connections lasted when it was measured.
        incidents: losses of connections to this server within the last week, newest first, as recorded on this machine.
        log: what the error log says, from a file or from the server's own table.
        settings: what the user told.
        gaps: what is missing, by the value of its `Need`, to the reason, such as ``{"hosts": "needs PROCESS"}``.
    """

    snapshot: Snapshot
    login_seconds: float | None = None
    hosts: tuple[HostEntry, ...] = ()
    accounts: tuple[AccountUse, ...] = ()
    digests: tuple[Digest, ...] = ()
    errors: tuple[ErrorCount, ...] = ()
    replicas: tuple[Replica, ...] = ()
    members: tuple[GroupMember, ...] = ()
    account: OwnAccount | None = None
    engines: tuple[EngineFacts, ...] = ()
    idle: IdleLimit | None = None
    incidents: tuple[Incident, ...] = ()
    log: Summary | None = None
    settings: Settings = field(default_factory=Settings)
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def mariadb(self) -> bool:
        """Whether the server is MariaDB."""
        return self.snapshot.mariadb

    def number(self, name: str) -> float | None:
        """A global variable as a number; ``None`` where the server has none of that name."""
        return self.snapshot.number(name)

    def count(self, name: str) -> int:
        """A status counter; 0 where the server has none of that name."""
        return self.snapshot.count(name) or 0

    def on(self, name: str) -> bool:
        """Whether a global variable is on; false where the server has none of that name."""
        return self.snapshot.switched_on(name) is True

    def raised(self, name: str) -> ErrorCount | None:
        """How often an error of that symbol was raised; ``None`` where it never was, or it isn't known."""
        return next((one for one in self.errors if one.name == name), None)

    @property
    def uptime(self) -> float:
        """Seconds since the server started."""
        return float(self.count("uptime"))

    def per_hour(self, count: float) -> float:
        """A count since the server started as a rate. The first hour counts as a whole one."""
        return count * HOUR / max(self.uptime, HOUR)
