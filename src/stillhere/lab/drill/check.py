"""The check: what the database holds against what the clients were told. Pure, but for `stored`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from stillhere.lab.apps.matches.data import GAMES, LINES
from stillhere.lab.drill.shots import Outcome, Shot

__all__ = ["WHOLE", "Audit", "Found", "audit", "recovery_ms", "stored"]


class Found(NamedTuple):
    """How many rows of each table carry a token."""

    matches: int = 0
    games: int = 0
    lines: int = 0


WHOLE = Found(1, GAMES, LINES)
"""What one write leaves when it was applied once, as a whole."""


@dataclass(frozen=True)
class Audit:
    """What became of one arm's requests.

    Attributes:
        requests: how many were sent.
        errors: how many failed: 5xx without ``Retry-After``, time-outs, broken connections.
        unavailable: how many were told to come back later (503 with ``Retry-After``).
        wrong: wrong answers, and writes of which only a part was stored.
        lost: writes that were acknowledged and are not there.
        doubled: writes that are there more than once.
        half: writes of which only a part is there.
        raw: errors that are the driver's bare word about a lost connection.
        named: how many errors stillhere named, by class.
        unnamed: how many it did not, by class.
        refused: how many were rightly told that they are too large (413).
        longest_ms: the longest request.
        says: a message of each class of error.
        spoilt: tokens of the writes that are lost, doubled or half.
    """

    requests: int
    errors: int
    unavailable: int
    wrong: int
    lost: int
    doubled: int
    half: int
    raw: int
    named: Mapping[str, int]
    unnamed: Mapping[str, int]
    refused: int
    longest_ms: float
    says: Mapping[str, str] = field(default_factory=dict)
    spoilt: frozenset[str] = frozenset()


def audit(shots: Iterable[Shot], found: Mapping[str, Found]) -> Audit:
    """Compare.

    Args:
        shots: every request of the arm.
        found: the rows in its schema, by token; tokens without rows are left out.
    """
    shots = list(shots)
    outcomes = Counter(shot.outcome for shot in shots)
    acknowledged = {shot.token for shot in shots if shot.acknowledged}
    sent = {shot.token for shot in shots if shot.token}
    rows = {token: found.get(token, Found()) for token in sent}
    half = {token for token, one in rows.items() if not _is_whole(one)}
    doubled = {token for token, one in rows.items() if _copies(one) > 1}
    lost = {token for token in acknowledged if rows[token] == Found()}
    failed = [shot for shot in shots if shot.error]
    return Audit(
        requests=len(shots),
        errors=outcomes[Outcome.ERROR],
        unavailable=outcomes[Outcome.UNAVAILABLE],
        wrong=outcomes[Outcome.WRONG] + len(half),
        lost=len(lost),
        doubled=len(doubled),
        half=len(half),
        raw=sum(shot.raw for shot in shots),
        named=Counter(shot.error for shot in failed if shot.named),
        unnamed=Counter(shot.error for shot in failed if not shot.named),
        refused=sum(shot.refused for shot in shots),
        longest_ms=round(max(((shot.ended - shot.begun) * 1000 for shot in shots), default=0.0), 1),
        says={shot.error: shot.says for shot in failed},
        spoilt=frozenset(lost | doubled | half),
    )


def recovery_ms(shots: Iterable[Shot], back: float) -> float | None:
    """Milliseconds from the server's return to the first good answer of a request begun after it.

    Args:
        shots: every request of the arm.
        back: when the fault was over, on the monotonic clock.
    """
    after = [shot.ended for shot in shots if shot.begun >= back and shot.outcome is Outcome.GOOD]
    return round((min(after) - back) * 1000, 1) if after else None


def stored(url: URL, prefix: str) -> dict[str, Found]:
    """The rows whose token begins so, counted by token in each of the three tables."""
    engine = create_engine(url, poolclass=NullPool)
    counted: dict[str, list[int]] = {}
    with engine.connect() as connection:
        for place, table in enumerate(("matches", "games", "log_lines")):
            rows = connection.execute(
                text(f"SELECT token, COUNT(*) FROM {table} WHERE token LIKE :prefix GROUP BY token"),  # noqa: S608 - constants
                {"prefix": f"{prefix}-%"},
            )
            for token, count in rows:
                counted.setdefault(token, [0, 0, 0])[place] = count
    return {token: Found(*counts) for token, counts in counted.items()}


def _copies(found: Found) -> int:
    """How many copies there are of the part that is there most often."""
    return max(-(-count // whole) for count, whole in zip(found, WHOLE, strict=True))


def _is_whole(found: Found) -> bool:
    """Whether all tables hold the same number of copies."""
    return all(count == _copies(found) * whole for count, whole in zip(found, WHOLE, strict=True))
