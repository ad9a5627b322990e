"""Asking a server for its tables: a dozen statements, none of which reads a row of an application's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from stillhere.errorlog.reader import read
from stillhere.errorlog.summary import Ending, Summary
from stillhere.maintain.inventory import Inventory, Thresholds
from stillhere.survey.table_use import UncleanStart, index_use, statistics, unclean_start
from stillhere.survey.tables import file_sizes, foreign_columns, indexes, sees_all, tables
from stillhere.survey.take import Ask, NotAllowed, take

__all__ = ["crash_logged", "look"]

_IN_ORDER = {Ending.CLEAN, Ending.UNKNOWN, Ending.RUNNING}

AnswerT = TypeVar("AnswerT")


def look(ask: Ask, address: str, thresholds: Thresholds, *, schema: str = "", log: Path | None = None) -> Inventory:
    """Take everything in.

    Args:
        ask: runs a statement on a connection in autocommit mode.
        address: the server's, as text, without credentials.
        thresholds: from where on something is worth doing.
        log: the server's error log; ``None`` where only the server is asked how its last life ended.
        schema: the only schema to look at; all but the server's own where it is empty.
    """
    snapshot = take(ask, address, sessions=False, transactions=False)
    gaps: dict[str, str] = {}

    def tried(name: str, question: Callable[[], AnswerT]) -> AnswerT | None:
        try:
            return question()
        except NotAllowed as error:
            gaps[name] = str(error)
            return None

    found = tables(ask, snapshot, schema)
    if not sees_all(ask):
        hidden = "" if found else ", and it sees none"
        gaps["tables"] = f"needs SELECT on everything: the account sees the tables that it has a right on{hidden}"
    return Inventory(
        snapshot=snapshot,
        tables=found,
        indexes=indexes(ask, schema),
        files=tried("files", lambda: file_sizes(ask, snapshot)),
        statistics=tried("statistics", lambda: statistics(ask)),
        uses=tried("uses", lambda: index_use(ask, snapshot)),
        foreign=foreign_columns(ask, schema),
        crash=tried("crash", lambda: unclean_start(ask, snapshot))
        if log is None
        else crash_logged(read(log), str(log)),
        thresholds=thresholds,
        gaps=gaps,
    )


def crash_logged(summary: Summary, source: str) -> UncleanStart | None:
    """Whether the life before the last one in a log ended without a shutdown; ``None`` where it ended in order."""
    if len(summary.lives) < 2:  # noqa: PLR2004 - this one and the one before
        return None
    before, present = summary.lives[-2:]
    if before.ending in _IN_ORDER:
        return None
    # Without its time: MariaDB's logs don't name the zone of theirs.
    return UncleanStart(at=None, source=f"{source}, line {present.start_line}: {before.ending.value} before")
