"""What the account that asks is limited to, and when its password ends: ``mysql.user``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stillhere.survey.schema import moment
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["OwnAccount", "own_account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """The account that the server took the login for.

    Attributes:
        name: as ``CURRENT_USER()`` tells it, such as ``app@10.0.%``.
        queries_per_hour: statements that it may run in an hour; 0 for no limit.
        connections_per_hour: logins that it may make in an hour; 0 for no limit.
        connections: connections that it may hold at once; 0 for no limit of its own.
        password_days: days after which its password ends: its own setting, else the server's; 0 for never.
        password_set: when the password was set; ``None`` where the server doesn't say.
    """

    name: str
    queries_per_hour: int
    connections_per_hour: int
    connections: int
    password_days: int
    password_set: datetime | None


def own_account(ask: Ask, snapshot: Snapshot) -> OwnAccount:
    """Look the account up.

    Raises:
        NotAllowed: the account may not read ``mysql.user``, or the server has no line for it (a role, a proxy).
    """
    name = str(ask("SELECT CURRENT_USER() AS account")[0]["account"])
    # MariaDB's view of that name has neither of the two.
    password = "" if snapshot.mariadb else ", password_lifetime, UNIX_TIMESTAMP(password_last_changed) AS password_set"
    rows = ask(
        f"SELECT max_questions, max_connections, max_user_connections{password}"  # noqa: S608 - ours
        " FROM mysql.user WHERE user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"
        " AND host = SUBSTRING_INDEX(CURRENT_USER(), '@', -1)"
    )
    if not rows:
        raise NotAllowed(f"needs an account with a line in mysql.user; {name} has none")
    row = rows[0]
    lifetime = row.get("password_lifetime")
    if lifetime is None:
        lifetime = snapshot.number("default_password_lifetime") or 0
    return OwnAccount(
        name=name,
        queries_per_hour=int(row["max_questions"]),
        connections_per_hour=int(row["max_connections"]),
        connections=int(row["max_user_connections"]),
        password_days=int(lifetime),
        password_set=moment(row.get("password_set")),
    )
