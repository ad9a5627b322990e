"""The table of release series."""

from __future__ import annotations

from datetime import date

import pytest

from stillhere.server.lifecycles import helpful_since, series_of
from stillhere.server.versions import parse_version


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("8.0.36-28", date(2026, 4, 30)),
        ("9.7.4-2", date(2034, 4, 21)),
        ("10.11.19-MariaDB-0+deb12u1", date(2028, 2, 16)),
        ("5.5.62", date(2018, 12, 31)),
        ("5.5.68-MariaDB", date(2020, 4, 11)),
    ],
)
def test_a_version_belongs_to_the_series_of_its_own_family(text, ends):
    assert series_of(parse_version(text)).ends == ends


def test_a_series_that_is_newer_than_the_table_is_unknown():
    assert series_of(parse_version("99.1.0")) is None


@pytest.mark.parametrize(
    ("text", "number"), [("5.7.44", 2), ("8.0.22", 1), ("8.0.24", 0), ("9.7.0", 0), ("10.3.1-MariaDB", 0)]
)
def test_what_a_version_lacks_is_what_later_ones_of_its_family_brought(text, number):
    assert len(helpful_since(parse_version(text))) == number
