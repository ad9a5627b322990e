"""Until when each release series gets fixes from those who make it. A vendor may support his own builds longer.

Read in May 2026. Sources: endoflife.date/mysql and endoflife.date/mariadb, which follow Oracle's "Lifetime Support
Policy" and mariadb.org's maintenance policy; the release notes of MySQL 8.0 for its last month. For MySQL it is the end
of extended support where a series has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from stillhere.server.versions import Flavour, ServerVersion

__all__ = ["READ_ON", "Series", "Since", "helpful_since", "series_of"]

READ_ON = date(2026, 5, 25)
"""When the dates were read."""


@dataclass(frozen=True, slots=True)
class Series:
    """One release series.

    Attributes:
        flavour: the family.
        number: its first two numbers.
        ends: the last day of fixes.
        long_term: whether it is one that is kept for years.
    """

    flavour: Flavour
    number: tuple[int, int]
    ends: date
    long_term: bool = False

    def __str__(self) -> str:
        return f"{self.flavour.value} {self.number[0]}.{self.number[1]}"


_MYSQL, _MARIADB = Flavour.MYSQL, Flavour.MARIADB
_SERIES = (
    Series(_MYSQL, (5, 5), date(2018, 12, 31)),
    Series(_MYSQL, (5, 6), date(2021, 2, 28)),
    Series(_MYSQL, (5, 7), date(2023, 10, 31)),
    Series(_MYSQL, (8, 0), date(2026, 4, 30), long_term=True),
    Series(_MYSQL, (8, 1), date(2023, 10, 25)),
    Series(_MYSQL, (8, 2), date(2023, 12, 14)),
    Series(_MYSQL, (8, 3), date(2024, 4, 10)),
    Series(_MYSQL, (8, 4), date(2032, 4, 30), long_term=True),
    Series(_MYSQL, (9, 0), date(2024, 10, 15)),
    Series(_MYSQL, (9, 1), date(2025, 1, 21)),
    Series(_MYSQL, (9, 2), date(2025, 4, 15)),
    Series(_MYSQL, (9, 3), date(2025, 7, 22)),
    Series(_MYSQL, (9, 4), date(2025, 10, 21)),
    Series(_MYSQL, (9, 5), date(2026, 1, 20)),
    Series(_MYSQL, (9, 6), date(2026, 4, 21)),
    Series(_MYSQL, (9, 7), date(2034, 4, 21), long_term=True),
    Series(_MARIADB, (5, 5), date(2020, 4, 11)),
    Series(_MARIADB, (10, 0), date(2019, 3, 31)),
    Series(_MARIADB, (10, 1), date(2020, 10, 17)),
    Series(_MARIADB, (10, 2), date(2022, 5, 23)),
    Series(_MARIADB, (10, 3), date(2023, 5, 25)),
    Series(_MARIADB, (10, 4), date(2024, 6, 18)),
    Series(_MARIADB, (10, 5), date(2025, 6, 24)),
    Series(_MARIADB, (10, 6), date(2026, 7, 6), long_term=True),
    Series(_MARIADB, (10, 7), date(2023, 2, 9)),
    Series(_MARIADB, (10, 8), date(2023, 5, 20)),
    Series(_MARIADB, (10, 9), date(2023, 8, 22)),
    Series(_MARIADB, (10, 10), date(2023, 11, 17)),
    Series(_MARIADB, (10, 11), date(2028, 2, 16), long_term=True),
    Series(_MARIADB, (11, 0), date(2024, 6, 6)),
    Series(_MARIADB, (11, 1), date(2024, 8, 21)),
    Series(_MARIADB, (11, 2), date(2024, 11, 21)),
    Series(_MARIADB, (11, 3), date(2024, 5, 29)),
    Series(_MARIADB, (11, 4), date(2029, 5, 29), long_term=True),
    Series(_MARIADB, (11, 5), date(2024, 11, 21)),
    Series(_MARIADB, (11, 6), date(2025, 2, 13)),
    Series(_MARIADB, (11, 7), date(2025, 5, 12)),
    Series(_MARIADB, (11, 8), date(2028, 6, 4), long_term=True),
    Series(_MARIADB, (12, 0), date(2025, 11, 18)),
    Series(_MARIADB, (12, 1), date(2026, 2, 13)),
    Series(_MARIADB, (12, 2), date(2026, 5, 13)),
    Series(_MARIADB, (12, 3), date(2029, 6, 30), long_term=True),
)


@dataclass(frozen=True, slots=True)
class Since:
    """What a version brought that helps with lost connections."""

    flavour: Flavour
    number: tuple[int, int, int]
    brought: str


# "Changes in MySQL 8.0.22" and "8.0.24" in its release notes.
_HELPFUL = (
    Since(_MYSQL, (8, 0, 22), "performance_schema.error_log: the error log can be read with a query"),
    Since(_MYSQL, (8, 0, 24), "a connection that is closed for its idleness is told so, with error 4031"),
)


def series_of(version: ServerVersion) -> Series | None:
    """The series of a version; ``None`` for one that was not known when the table was made."""
    return next(
        (one for one in _SERIES if one.flavour is version.flavour and one.number == version.number[:2]),
        None,
    )


def helpful_since(version: ServerVersion) -> tuple[Since, ...]:
    """What later versions of its family brought that this one lacks."""
    return tuple(one for one in _HELPFUL if one.flavour is version.flavour and version.number < one.number)
