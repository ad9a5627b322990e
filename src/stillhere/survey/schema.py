"""What the questions to performance_schema have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stillhere.survey.snapshot import Snapshot
from stillhere.survey.take import NotAllowed

__all__ = ["moment", "require_performance_schema"]


def require_performance_schema(snapshot: Snapshot) -> None:
    """Nothing where it is on.

    Raises:
        NotAllowed: it is off, so that its tables are empty and their emptiness means nothing.
    """
    if not snapshot.switched_on("performance_schema"):
        raise NotAllowed("needs performance_schema=ON")


def moment(value: Any) -> datetime | None:
    """The answer of ``UNIX_TIMESTAMP(…)`` as a time in UTC, whatever the session's time zone; ``None`` for none."""
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
