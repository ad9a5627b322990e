"""What the kinds of maintenance see: one server's tables, indexes and notes about them. Frozen, nothing asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stillhere.survey.snapshot import Snapshot
from stillhere.survey.table_use import Statistics, UncleanStart
from stillhere.survey.tables import Index, Key, Table

__all__ = ["Inventory", "Thresholds", "age", "size"]

MIB = 1024**2
DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From where on something is worth doing.

    Attributes:
        free: bytes of measured free space in a table's file. 100 MiB.
        share: the free space's share of the file. A quarter.
        stale: seconds since a table's statistics were made. A day.
        drift: share of the rows by which the statistics are wrong. A fifth.
        unused: seconds of uptime after which an index that was never used counts as unused. 30 days: a month's end
            has its own queries.
        check: whether tables are to be checked without a sign of a crash.
    """

    free: int = 100 * MIB
    share: float = 0.25
    stale: float = DAY
    drift: float = 0.2
    unused: float = 30 * DAY
    check: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """One server's tables. What could not be asked is ``None``, with the reason in `gaps`.

    Attributes:
        snapshot: variables and status.
        tables: the applications' base tables, as far as the account sees them.
        indexes: theirs.
        files: bytes on disk of InnoDB tables with a file of their own.
        statistics: InnoDB's stored statistics.
        uses: how often each index was used.
        foreign: first columns of foreign keys.
        crash: how this life of the server began, where that wasn't in order.
        thresholds: from where on something is worth doing.
        gaps: what is missing, to the reason.
    """

    snapshot: Snapshot
    tables: tuple[Table, ...] = ()
    indexes: tuple[Index, ...] = ()
    files: Mapping[Key, int] | None = None
    statistics: Mapping[Key, Statistics] | None = None
    uses: Mapping[tuple[Key, str], int] | None = None
    foreign: frozenset[tuple[Key, str]] = frozenset()
    crash: UncleanStart | None = None
    thresholds: Thresholds = Thresholds()
    gaps: Mapping[str, str] = field(default_factory=dict)

    def indexes_of(self, table: Key) -> tuple[Index, ...]:
        """One table's indexes."""
        return tuple(index for index in self.indexes if index.table == table)


def size(number: float) -> str:
    """Bytes in the largest unit that keeps them readable."""
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004 - binary units
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GiB"


def age(seconds: float) -> str:
    """A span of time as a person says it."""
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
