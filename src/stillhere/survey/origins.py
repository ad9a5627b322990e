"""Where a server's settings come from, and what they may be set to.

``performance_schema.variables_info`` on MySQL 8.0 and later, ``information_schema.SYSTEM_VARIABLES`` on MariaDB: both
open to every account. Sources: "Performance Schema variables_info Table" and "Persisted System Variables" in the MySQL
manual, "Information Schema SYSTEM_VARIABLES Table" in MariaDB's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from stillhere.survey.schema import moment
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed, Row

__all__ = ["Origin", "SettingFacts", "setting_facts"]


class Origin(Enum):
    """Who gave a setting its present value."""

    DEFAULT = "the server's default"
    FILE = "an option file"
    COMMAND_LINE = "the server's command line"
    PERSISTED = "SET PERSIST (mysqld-auto.cnf)"
    SQL = "SET GLOBAL"
    AUTO = "the server itself, at its start"
    UNKNOWN = "not known"


_MYSQL = {
    "COMPILED": Origin.DEFAULT,
    "GLOBAL": Origin.FILE,
    "SERVER": Origin.FILE,
    "EXPLICIT": Origin.FILE,
    "EXTRA": Origin.FILE,
    "USER": Origin.FILE,
    "LOGIN": Origin.FILE,
    "COMMAND_LINE": Origin.COMMAND_LINE,
    "PERSISTED": Origin.PERSISTED,
    "DYNAMIC": Origin.SQL,
}
_MARIADB = {
    "COMPILE-TIME": Origin.DEFAULT,
    "CONFIG": Origin.FILE,
    "COMMAND-LINE": Origin.COMMAND_LINE,
    "SQL": Origin.SQL,
    "AUTO": Origin.AUTO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFacts:
    """What is known of one setting.

    Attributes:
        origin: who gave it its value.
        path: the option file, where it was one and the server tells.
        low: the smallest value; ``None`` where it is no number, or the server doesn't tell.
        high: the largest one.
        step: the value is rounded down to a multiple of it; 1 where the server doesn't tell.
        switch: whether it is ON or OFF.
        dynamic: whether SET GLOBAL can change it; ``None`` where the server doesn't tell (MySQL).
        changed: when SET GLOBAL or SET PERSIST gave it its value, in UTC; ``None``
            where it is older than the server, or the server doesn't tell (MariaDB).
        persisted: the value in ``mysqld-auto.cnf``; ``None`` for none.
    """

    origin: Origin = Origin.UNKNOWN
    path: str = ""
    low: int | None = None
    high: int | None = None
    step: int = 1
    switch: bool = False
    dynamic: bool | None = None
    changed: datetime | None = None
    persisted: str | None = None


def setting_facts(ask: Ask, snapshot: Snapshot, names: Iterable[str]) -> dict[str, SettingFacts]:
    """What is known of these settings; those that the server hasn't are absent.

    Raises:
        NotAllowed: the server has no such table (MySQL before 8.0, MariaDB before 10.1).
    """
    wanted = sorted({name for name in names if name in snapshot.variables})
    if not wanted:
        return {}
    listed = ", ".join(f"'{name}'" for name in wanted)
    if snapshot.version.at_least(mysql=None, mariadb=(10, 1)):
        return _of_mariadb(ask, listed)
    if snapshot.version.at_least(mysql=(8, 0), mariadb=None):
        return _of_mysql(ask, snapshot, listed)
    raise NotAllowed("needs MySQL 8.0 or MariaDB 10.1")


def _of_mariadb(ask: Ask, listed: str) -> dict[str, SettingFacts]:
    rows = ask(f"SELECT * FROM information_schema.SYSTEM_VARIABLES WHERE variable_name IN ({listed})")  # noqa: S608 - names that the server itself listed
    return {
        str(row["variable_name"]).lower(): SettingFacts(
            origin=_MARIADB.get(str(row["global_value_origin"]), Origin.UNKNOWN),
            path=str(row.get("global_value_path") or ""),
            low=_number(row["numeric_min_value"]),
            high=_number(row["numeric_max_value"]),
            step=_number(row["numeric_block_size"]) or 1,
            switch=row["variable_type"] == "BOOLEAN",
            dynamic=row["read_only"] == "NO",
        )
        for row in rows
    }


def _of_mysql(ask: Ask, snapshot: Snapshot, listed: str) -> dict[str, SettingFacts]:
    rows = ask(
        "SELECT variable_name, variable_source, variable_path, min_value, max_value,"  # noqa: S608 - as above
        " UNIX_TIMESTAMP(set_time) AS set_time FROM performance_schema.variables_info"
        f" WHERE variable_name IN ({listed})"
    )
    saved = ask(
        "SELECT variable_name, variable_value FROM performance_schema.persisted_variables"  # noqa: S608 - as above
        f" WHERE variable_name IN ({listed})"
    )
    persisted = {str(row["variable_name"]).lower(): str(row["variable_value"]) for row in saved}
    return {name: _mysql_facts(name, row, snapshot, persisted) for row in rows if (name := str(row["variable_name"]))}


def _mysql_facts(name: str, row: Row, snapshot: Snapshot, persisted: Mapping[str, str]) -> SettingFacts:
    switch = snapshot.variables[name] in {"ON", "OFF"}
    low, high = _number(row["min_value"]), _number(row["max_value"])
    return SettingFacts(
        origin=_MYSQL.get(str(row["variable_source"]), Origin.UNKNOWN),
        path=str(row["variable_path"] or ""),
        low=None if switch else low,
        high=None if switch else high,
        # Not in the table: sizes are rounded down to whole KiB.
        step=_KIB if name in _WHOLE_KIB else 1,
        switch=switch,
        changed=moment(row["set_time"]),
        persisted=persisted.get(name),
    )


def _number(value: object) -> int | None:
    try:
        return None if value is None else int(str(value))
    except ValueError:
        return None


_KIB = 1024
_WHOLE_KIB = frozenset({"max_allowed_packet", "net_buffer_length"})
