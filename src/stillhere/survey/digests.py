"""The statements that took longest: ``performance_schema.events_statements_summary_by_digest``."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.masking import mask_sql
from stillhere.survey.schema import require_performance_schema
from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import Ask

__all__ = ["Digest", "digests"]

_ROWS = 20
_SHOWN = 200
_PICOSECONDS = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One shape of statement; its literals were replaced by the server.

    Attributes:
        text: masked, at most 200 characters.
        schema: default database; empty for none.
        count: how often it ran.
        longest: seconds that its longest run took.
        mean: seconds that it took on average.
        failed: how many runs ended in an error.
    """

    text: str
    schema: str
    count: int
    longest: float
    mean: float
    failed: int


def digests(ask: Ask, snapshot: Snapshot) -> tuple[Digest, ...]:
    """The 20 shapes with the longest single runs, longest first; statements of the server's own schemas left out.

    Raises:
        NotAllowed: the account may not read it, or performance_schema is off.
    """
    require_performance_schema(snapshot)
    rows = ask(
        "SELECT schema_name, digest_text, count_star, max_timer_wait, avg_timer_wait, sum_errors"  # noqa: S608 - ours
        " FROM performance_schema.events_statements_summary_by_digest"
        " WHERE digest_text IS NOT NULL"
        " AND COALESCE(schema_name, '') NOT IN ('performance_schema', 'information_schema', 'mysql', 'sys')"
        f" ORDER BY max_timer_wait DESC LIMIT {_ROWS}"
    )
    return tuple(
        Digest(
            text=mask_sql(" ".join(str(row["digest_text"]).split()))[:_SHOWN],
            schema=str(row["schema_name"] or ""),
            count=int(row["count_star"]),
            longest=float(row["max_timer_wait"]) / _PICOSECONDS,
            mean=float(row["avg_timer_wait"]) / _PICOSECONDS,
            failed=int(row["sum_errors"]),
        )
        for row in rows
    )
