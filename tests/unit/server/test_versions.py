"""Server versions, from the texts that real servers greet with."""

from __future__ import annotations

import pytest

from stillhere.server.versions import Flavour, ServerVersion, parse_version

MYSQL, MARIADB = Flavour.MYSQL, Flavour.MARIADB


@pytest.mark.parametrize(
    ("text", "flavour", "number"),
    [
        ("5.5.5-10.11.11-MariaDB-0+deb12u1", MARIADB, (10, 11, 11)),
        ("10.11.11-MariaDB-0+deb12u1", MARIADB, (10, 11, 11)),
        ("11.8.2-MariaDB-ubu2404-log", MARIADB, (11, 8, 2)),
        ("5.5.5-10.3.39", MARIADB, (10, 3, 39)),
        ("5.6.49-mariadb", MARIADB, (5, 6, 49)),
        ("9.7.0-1", MYSQL, (9, 7, 0)),
        ("8.0.36-28", MYSQL, (8, 0, 36)),
        ("8.0.36-28.1-Percona XtraDB Cluster", MYSQL, (8, 0, 36)),
        ("8.0.36-cloud", MYSQL, (8, 0, 36)),
        ("8.4", MYSQL, (8, 4, 0)),
        ("5.5.5", MYSQL, (5, 5, 5)),
        ("5.5.5-m3", MYSQL, (5, 5, 5)),
        ("5.7.44-log", MYSQL, (5, 7, 44)),
    ],
)
def test_greetings_of_both_families_are_read(text: str, flavour: Flavour, number: tuple[int, int, int]) -> None:
    assert parse_version(text) == ServerVersion(flavour, number)


def test_a_text_without_a_number_is_refused_with_the_text() -> None:
    with pytest.raises(ValueError, match="'no idea'"):
        parse_version("no idea")


def test_a_bound_is_asked_of_the_servers_own_family() -> None:
    server = parse_version("5.5.5-10.11.11-MariaDB")
    assert server.at_least(mysql=None, mariadb=(10, 11))
    assert not server.at_least(mysql=(8, 0), mariadb=(11,))
    assert not server.at_least(mysql=(8, 0), mariadb=None)
    assert str(server) == "MariaDB 10.11.11"
