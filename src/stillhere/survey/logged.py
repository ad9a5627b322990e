"""The error log as the server itself shows it: ``performance_schema.error_log``, MySQL 8.0.22 and later.

Source: "The error_log Table" in the MySQL manual.
"""

from __future__ import annotations

from stillhere.survey.schema import moment
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask, NotAllowed

__all__ = ["logged_lines"]

_ROWS = 5_000


def logged_lines(ask: Ask, snapshot: Snapshot) -> tuple[str, ...]:
    """The newest 5 000 lines, oldest first, as they would stand in a file, their times in UTC.

    Raises:
        NotAllowed: the account may not read it, or the server has no such table.
    """
    if not snapshot.version.at_least(mysql=(8, 0, 22), mariadb=None):
        raise NotAllowed("needs --log: only MySQL from 8.0.22 on shows its log itself")
    rows = ask(
        "SELECT UNIX_TIMESTAMP(logged) AS logged, thread_id, prio, error_code, subsystem, data"  # noqa: S608 - ours
        f" FROM performance_schema.error_log ORDER BY logged DESC LIMIT {_ROWS}"
    )
    lines = []
    for row in reversed(rows):
        at = moment(row["logged"])
        when = f"{at:%Y-%m-%dT%H:%M:%S.%f}Z" if at is not None else ""
        severity = "ERROR" if str(row["prio"]) == "Error" else str(row["prio"])
        text = " ".join(str(row["data"] or "").split())
        lines.append(f"{when} {row['thread_id']} [{severity}] [{row['error_code']}] [{row['subsystem']}] {text}")
    return tuple(lines)
